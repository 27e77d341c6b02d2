import { parentPort, workerData } from 'node:worker_threads';
import { SharedMonitor } from '../../src/monitor/monitor.js';
import type { SharedMonitorHandle } from '../../src/monitor/types.js';
import { durations } from './monitor-durations.js';

/** A recording thread: publishes after each record how many it has made, and waits at the end if asked to. */
const { handle, progress, index, records, seed } = workerData as {
  handle: SharedMonitorHandle;
  progress: SharedArrayBuffer;
  index: number;
  records: number;
  seed: number;
};

const monitor = SharedMonitor.attach(handle);
const recorder = monitor.recorder('load');
const published = new Float64Array(progress);
const next = durations(seed + index);
for (let i = 1; i <= records; i++) {
  recorder.record(next(), true, index);
  published[index] = i;
}
monitor.close();
parentPort?.postMessage('done');
