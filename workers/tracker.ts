import { parentPort, workerData } from 'node:worker_threads';
import { Tracker, type TrackerData } from '../src/tier/tracker.js';

const tracker = Tracker.start(workerData as TrackerData, (refusal) => {
  if (refusal !== undefined) parentPort?.postMessage(refusal.message);
  parentPort?.close();
});
if (tracker === undefined) parentPort?.close();
else parentPort?.on('message', () => tracker.end());
