import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { attachSweep, type Sweep } from '../src/sweep.js';
import type { SweeperApi } from '../src/sweeper.js';

let sweep: Sweep | undefined;
let timer: NodeJS.Timeout | undefined;

const api: SweeperApi = {
  start(handle, intervalMs) {
    sweep = attachSweep(handle);
    timer = setInterval(() => sweep?.tick(), intervalMs);
  },
  stop() {
    clearInterval(timer);
    sweep?.close();
  },
};

if (parentPort !== null) expose(api, nodeEndpoint(parentPort));
