import { SharedCache, type SharedCacheOptions } from '../../src/index.js';
import { freshKey } from '../workloads/keys.js';

/** Bytes of an entry above its value: key, head and share of the index, with room to spare. */
const OVERHEAD_BYTES = 160;
const HEAD_AND_KEY_BYTES = 52;
const MIN_BYTES = 64 * 2 ** 20;

/** Lock domains a cache has by default. */
const SHARDS = 8;

/**
 * Bytes of a cache that holds so many entries of so many bytes of value without evicting. Keys fall to shards at random, so
 * the fullest has some standard deviations (the square root of the mean) more than the mean.
 */
export function roomFor(entries: number, valueBytes: number): number {
  const uneven = 1.3 + 6 / Math.sqrt(entries / SHARDS);
  return Math.max(MIN_BYTES, Math.ceil(entries * (valueBytes * 1.15 + OVERHEAD_BYTES) * uneven));
}

/** A cache without sweeper, so that what is measured is what this thread does. */
export function createCache<V>(entries: number, valueBytes: number, options: SharedCacheOptions = {}): SharedCache<V> {
  return new SharedCache<V>({
    maxBytes: roomFor(entries, valueBytes),
    averageEntryBytes: Math.max(64, valueBytes + HEAD_AND_KEY_BYTES),
    sweep: false,
    ...options,
  });
}

/** Puts the keys [first, first + count) in order. Throws when one is refused. */
export function fill<V>(cache: SharedCache<V>, first: number, count: number, valueAt: (number: number) => V): void {
  for (let number = first; number < first + count; number++) {
    if (!cache.put(freshKey(number), valueAt(number))) throw new Error(`${freshKey(number)} was refused`);
  }
}
