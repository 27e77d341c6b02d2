import { workerData } from 'node:worker_threads';
import { SharedMonitor } from '../../src/monitor/monitor.js';
import type { SharedMonitorHandle } from '../../src/monitor/types.js';

/** Overwrites its ring until told to stop; every field of a record can be told from every other. */
const { handle, stop } = workerData as { handle: SharedMonitorHandle; stop: SharedArrayBuffer };
const recorder = SharedMonitor.attach(handle).recorder('spin');
const stopped = new Int32Array(stop);
for (let i = 1; Atomics.load(stopped, 0) === 0; i++) recorder.record(i % 1e9, true, i % 1e9);
