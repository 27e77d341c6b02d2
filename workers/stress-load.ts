import { parentPort, workerData } from 'node:worker_threads';
import { runLoad, type StressSeat } from '../bench/stress/load.js';

runLoad(workerData as StressSeat, () => parentPort?.postMessage('running'));
