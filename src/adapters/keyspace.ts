import { createHash } from 'node:crypto';
import type { CounterEntry, Duration, Namespace, PutOptions, SharedCache } from '../index.js';

/** Names of a key or tag longer than this are hashed: a URL or a cookie may be longer than either can be. */
const LONGEST_NAME = 200;

/** What an adapter can be put over: a whole cache, or a namespace of it when the cache holds other things too. */
export type Keys<V = unknown> = SharedCache<V> | Namespace<V>;

/**
 * A fleet's cache or a namespace of it, as `mooncake-cache/tier` has them: for what waits for its answers, and lists no keys.
 */
export interface FleetKeys {
  get(key: string): Promise<unknown>;
  getMany(keys: readonly string[]): Promise<unknown[]>;
  has(key: string): Promise<boolean>;
  put(key: string, value: unknown, options?: PutOptions): Promise<boolean>;
  delete(key: string): Promise<boolean>;
  touch(key: string, ttl?: Duration): Promise<boolean>;
  increment(key: string, by?: number, options?: PutOptions): Promise<number>;
  incrementEntry(key: string, by?: number, options?: PutOptions): Promise<CounterEntry>;
  expiresIn(key: string): Promise<number | undefined>;
  invalidateTags(tags: string | readonly string[]): Promise<void>;
  clear(): Promise<void>;
  namespace(name: string): FleetKeys;
}

export const isFleet = (cache: Keys | FleetKeys): cache is FleetKeys => !('keys' in cache);

/** The keys that begin with the prefix; walks the whole cache. */
export function* keysUnder(cache: Keys, prefix: string): Generator<string> {
  for (const key of cache.keys()) if (key.startsWith(prefix)) yield key;
}

/** Removes every key that begins with the prefix; all keys, without a walk, when it is empty. */
export function clearUnder(cache: Keys, prefix: string): void {
  if (prefix === '') cache.clear();
  else for (const key of keysUnder(cache, prefix)) cache.delete(key);
}

/**
 * A library's time to live as one the cache takes. A number below 0 is a time that is over, as 0 is; what is no number is no
 * time, and `fallback` is used.
 */
export function ttlFrom<F>(ms: unknown, fallback: F): number | F {
  return typeof ms === 'number' && !Number.isNaN(ms) ? Math.max(0, ms) : fallback;
}

/** The name itself, or a hash of one that is too long for a key or a tag. */
export function short(name: string): string {
  return name.length <= LONGEST_NAME ? name : createHash('sha256').update(name).digest('base64url');
}
