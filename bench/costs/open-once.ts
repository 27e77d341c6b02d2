/** A process that opens a cache, tells how long that took, and stays until it is killed. */
import { SharedCache, type SharedCacheOptions } from '../../src/index.js';

export interface OpenOrder {
  readonly path: string;
  readonly options: SharedCacheOptions;
}

export interface Opened {
  readonly ms: number;
  readonly origin: SharedCache['origin'];
  readonly size: number;
}

const { path, options } = JSON.parse(process.argv[2] ?? '') as OpenOrder;
const startedAt = performance.now();
const cache = SharedCache.open(path, options);
const ms = performance.now() - startedAt;
const opened: Opened = { ms, origin: cache.origin, size: cache.size };
process.send?.(opened);
setInterval(() => cache.size, 1_000);
