import { Worker } from 'node:worker_threads';
import { type Remote, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { SharedCacheHandle } from './cache.js';

/** What the sweeper thread offers over comlink. */
export interface SweeperApi {
  start(handle: SharedCacheHandle, intervalMs: number): void;
  stop(): void;
}

export interface SweeperControl {
  /** Ends the thread; returns at once. */
  stop(): void;
}

/** Starts the background sweeper: it advances the clock and removes expired entries, and never keeps the process alive. */
export function startSweeper(handle: SharedCacheHandle, intervalMs: number): SweeperControl {
  const worker = new Worker(new URL('../workers/sweeper.js', import.meta.url), {
    name: 'mooncake-cache-sweeper',
    execArgv: [],
    stdout: false,
  });
  const api: Remote<SweeperApi> = wrap<SweeperApi>(nodeEndpoint(worker));
  // A sweeper that cannot run is no reason to fail: reads treat expired entries as absent without it.
  const ignore = (): void => {};
  worker.on('error', ignore);
  void api.start(handle, intervalMs).then(ignore, ignore);
  worker.unref();
  return {
    stop() {
      void api.stop().then(ignore, ignore);
      void worker.terminate();
    },
  };
}
