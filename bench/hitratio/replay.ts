import { type EvictionName, SharedCache } from '../../src/index.js';
import type { Trace } from './trace.js';

/** Enough bytes for the entries of a trace, so that their number is the bound. */
const BYTES_PER_ENTRY = 1024;
const LEAST_BYTES = 64 * 1024 * 1024;

/** Hit percentage of the cache itself: a get for every request, and a put after every miss. */
export function replay(trace: Trace, eviction: EvictionName, entries: number, shards?: number): number {
  return withCache(eviction, entries, shards, (cache) => {
    const { requests, keys } = trace;
    let hits = 0;
    for (const request of requests) {
      const key = keys[request] as string;
      if (cache.get(key) !== undefined) hits++;
      else cache.put(key, 1);
    }
    return (100 * hits) / requests.length;
  });
}

/** Share of blocks found by the longest prefix of each request; its other blocks are put afterwards. */
export function replayPrefixes(
  requests: readonly string[][],
  eviction: EvictionName,
  entries: number,
  shards?: number,
): number {
  return withCache(eviction, entries, shards, (cache) => {
    let hits = 0;
    let blocks = 0;
    for (const keys of requests) {
      const found = cache.longestPrefix(keys);
      hits += found;
      blocks += keys.length;
      cache.putMany(keys.slice(found).map((key) => [key, 1]));
    }
    return hits / blocks;
  });
}

function withCache(
  eviction: EvictionName,
  entries: number,
  shards: number | undefined,
  run: (cache: SharedCache<number>) => number,
): number {
  const cache = new SharedCache<number>({
    maxBytes: Math.max(LEAST_BYTES, entries * BYTES_PER_ENTRY),
    maxEntries: entries,
    eviction,
    ttl: Number.POSITIVE_INFINITY,
    sweep: false,
    ...(shards === undefined ? {} : { shards }),
  });
  try {
    const result = run(cache);
    const { ok, problems } = cache.inspect();
    if (!ok || cache.size > entries) throw new Error(`${eviction}, ${entries} entries: ${problems.join('; ')}`);
    return result;
  } finally {
    cache.close();
  }
}
