import type { Driver, StorageMeta, StorageValue, TransactionOptions } from 'unstorage';
import { clearUnder, type FleetKeys, isFleet, type Keys, keysUnder, ttlFrom } from './keyspace.js';

/** Settings of the driver. */
export interface UnstorageDriverOptions {
  /** Seconds until an item expires that was set without a `ttl`; default, and with 0, never. */
  ttl?: number | undefined;
}

/**
 * A driver for [unstorage](https://unstorage.unjs.io), and so for Nitro and Nuxt:
 * `createStorage({ driver: unstorageDriver(cache) })`. The `ttl` of an item is in seconds, as in unstorage's own drivers.
 * Raw items keep what `structuredClone` keeps. An item that is too large is not kept. Watchers hear of what was written
 * through the same storage only. Over a fleet `getKeys` finds none, and `clear` clears all or, under a base, nothing.
 */
export function unstorageDriver(
  cache: Keys | FleetKeys,
  options: UnstorageDriverOptions = {},
): Driver<UnstorageDriverOptions> {
  const get = async (key: string): Promise<StorageValue> =>
    ((await cache.get(key)) as StorageValue | undefined) ?? null;
  const set = async (key: string, value: unknown, { ttl }: TransactionOptions = {}): Promise<void> => {
    await cache.put(key, value, { ttl: ttlFrom((ttl ?? options.ttl) * 1_000 || undefined, Number.POSITIVE_INFINITY) });
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
    async removeItem(key) {
      await cache.delete(key);
    },
    getMeta: async (key) => metaOf(await cache.expiresIn(key)),
    // unstorage gives no base where it means all.
    getKeys: (base = '') => (isFleet(cache) ? [] : [...keysUnder(cache, base)]),
    async clear(base = '') {
      if (!isFleet(cache)) clearUnder(cache, base);
      else if (base === '') await cache.clear();
    },
  };
}

function metaOf(expiresIn: number | undefined): StorageMeta | null {
  if (expiresIn === undefined) return null;
  return expiresIn === Number.POSITIVE_INFINITY ? {} : { ttl: expiresIn / 1_000 };
}
