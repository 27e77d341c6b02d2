import { parentPort, workerData } from 'node:worker_threads';
import { Tracker, type TrackerData } from '../src/tier/tracker.js';

/** For what the client may still have open after its end, ms: whoever closes the cache waits for this thread. */
const GRACE_MS = 1_000;

const tracker = Tracker.start(workerData as TrackerData, (refusal) => {
  if (refusal !== undefined) parentPort?.postMessage(refusal.message);
  parentPort?.close();
  setTimeout(() => process.exit(), GRACE_MS).unref();
});
if (tracker === undefined) parentPort?.close();
else parentPort?.on('message', () => tracker.end());
