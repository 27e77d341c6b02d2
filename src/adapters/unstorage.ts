import type { Driver, StorageMeta, StorageValue, TransactionOptions } from 'unstorage';
import { clearUnder, type Keys, keysUnder, ttlFrom } from './keyspace.js';

/** Settings of the driver. */
export interface UnstorageDriverOptions {
  /** Seconds until an item expires that was set without a `ttl`; default, and with 0, never. */
  ttl?: number | undefined;
}

/**
 * A driver for [unstorage](https://unstorage.unjs.io), and so for Nitro and Nuxt:
 * `createStorage({ driver: unstorageDriver(cache) })`. The `ttl` of an item is in seconds, as in unstorage's own drivers.
 * Raw items keep what `structuredClone` keeps. An item that is too large is not kept. Watchers hear of what was written
 * through the same storage only.
 */
export function unstorageDriver(cache: Keys, options: UnstorageDriverOptions = {}): Driver<UnstorageDriverOptions> {
  const get = (key: string): StorageValue => (cache.get(key) as StorageValue | undefined) ?? null;
  const set = (key: string, value: unknown, { ttl }: TransactionOptions = {}): void => {
    cache.put(key, value, { ttl: ttlFrom((ttl ?? options.ttl) * 1_000 || undefined, Number.POSITIVE_INFINITY) });
  };
  return {
    name: 'mooncake-cache',
    options,
    flags: { ttl: true },
    hasItem: (key) => cache.has(key),
    getItem: get,
    getItemRaw: get,
    setItem: set,
    setItemRaw: set,
    removeItem: (key) => {
      cache.delete(key);
    },
    getMeta: (key) => metaOf(cache.expiresIn(key)),
    // unstorage gives no base where it means all.
    getKeys: (base?: string) => [...keysUnder(cache, base ?? '')],
    clear: (base?: string) => clearUnder(cache, base ?? ''),
  };
}

function metaOf(expiresIn: number | undefined): StorageMeta | null {
  if (expiresIn === undefined) return null;
  return expiresIn === Number.POSITIVE_INFINITY ? {} : { ttl: expiresIn / 1_000 };
}
