import { workerData } from 'node:worker_threads';
import { SharedMonitor } from '../../src/monitor/monitor.js';
import type { SharedMonitorHandle } from '../../src/monitor/types.js';

/** Adds the same names as all others, in another order, and records once under each. */
const { handle, gate, names } = workerData as {
  handle: SharedMonitorHandle;
  gate: SharedArrayBuffer;
  names: string[];
};
const monitor = SharedMonitor.attach(handle);
const word = new Int32Array(gate);
Atomics.add(word, 1, 1);
Atomics.notify(word, 1);
Atomics.wait(word, 0, 0);
for (const name of names) monitor.recordOperation(name, 1, true);
