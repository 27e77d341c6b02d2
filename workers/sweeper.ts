import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { attachSweep } from '../src/sweep.js';
import type { SweeperApi } from '../src/sweeper-thread.js';

const stops = new Map<number, () => void>();

const api: SweeperApi = {
  add(id, buffers, intervalMs) {
    const sweep = attachSweep(buffers);
    const timer = setInterval(() => sweep.tick(), intervalMs);
    stops.set(id, () => {
      clearInterval(timer);
      sweep.close();
    });
  },
  remove(id) {
    stops.get(id)?.();
    stops.delete(id);
  },
};

if (parentPort !== null) expose(api, nodeEndpoint(parentPort));
