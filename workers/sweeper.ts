import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { attachSweep, type Sweep } from '../src/sweep.js';
import { PHASE, type SweeperApi } from '../src/sweeper-thread.js';

const stops = new Map<number, () => void>();

const api: SweeperApi = {
  add({ id, buffers, intervalMs, phase }) {
    if (Atomics.compareExchange(phase, 0, PHASE.waiting, PHASE.sweeping) !== PHASE.waiting) return;
    const end = (): void => {
      Atomics.store(phase, 0, PHASE.over);
      Atomics.notify(phase, 0);
    };
    let sweep: Sweep;
    try {
      sweep = attachSweep(buffers);
    } catch (error) {
      end();
      throw error;
    }
    const timer = setInterval(() => sweep.tick(), intervalMs);
    stops.set(id, () => {
      clearInterval(timer);
      sweep.close();
      end();
    });
  },
  remove(id) {
    stops.get(id)?.();
    stops.delete(id);
  },
};

if (parentPort !== null) expose(api, nodeEndpoint(parentPort));
