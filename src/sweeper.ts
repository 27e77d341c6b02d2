import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { Endpoint, Remote } from 'comlink';
import type { SharedCacheHandle } from './handle.js';

/** What the sweeper thread offers over comlink. */
export interface SweeperApi {
  /** Sweeps this cache every `intervalMs` from now on. */
  add(id: number, handle: SharedCacheHandle, intervalMs: number): void;
  remove(id: number): void;
}

export interface SweeperControl {
  /** Ends the sweep of this cache; returns at once. */
  stop(): void;
}

// Loaded with the first sweeper: threads that only attach start sooner without it.
const require = createRequire(import.meta.url);

/** One sweeper thread serves all caches that this thread created. */
let running: { worker: Worker; api: Remote<SweeperApi>; caches: number } | undefined;
let lastId = 0;

// A sweeper that cannot run is no reason to fail: reads treat expired entries as absent without it.
const ignore = (): void => {};

/** Has the cache swept in the background. The thread never keeps the process alive, and ends with its last cache. */
export function startSweeper(handle: SharedCacheHandle, intervalMs: number): SweeperControl {
  running ??= startThread();
  const sweeper = running;
  const id = ++lastId;
  let stopped = false;
  sweeper.caches++;
  void sweeper.api.add(id, handle, intervalMs).then(ignore, ignore);
  return {
    stop() {
      if (stopped) return;
      stopped = true;
      sweeper.caches--;
      // Not before it has answered: until then the other threads count on its ticking, and the next cache can have it.
      const end = (): void => {
        if (sweeper.caches > 0 || running !== sweeper) return;
        running = undefined;
        void sweeper.worker.terminate();
      };
      void sweeper.api.remove(id).then(end, ignore);
    },
  };
}

function startThread(): NonNullable<typeof running> {
  const worker = new Worker(new URL('../workers/sweeper.js', import.meta.url), {
    name: 'mooncake-cache-sweeper',
    execArgv: [],
  });
  worker.on('error', ignore);
  worker.once('exit', () => {
    if (running?.worker === worker) running = undefined;
  });
  const { wrap } = require('comlink') as typeof import('comlink');
  const nodeEndpoint = require('comlink/dist/umd/node-adapter') as (worker: Worker) => Endpoint;
  const api = wrap<SweeperApi>(nodeEndpoint(worker));
  // After comlink's listener, which would hold the process again.
  worker.unref();
  return { worker, api, caches: 0 };
}
