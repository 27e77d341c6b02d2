import { Keyv, type KeyvOptions } from 'keyv';
import type { FleetKeys, Keys } from './keyspace.js';
import { keyvStore } from './keyv.js';

/** Settings of the Keyv: its `namespace` and its `ttl` in ms. Unset, values are kept as they are instead of as JSON. */
export type CacheManagerStoreOptions = Omit<KeyvOptions, 'store'>;

/**
 * A store for [cache-manager](https://www.npmjs.com/package/cache-manager) 6 and 7, whose stores are Keyv instances:
 * `createCache({ stores: [cacheManagerStore(cache)] })`. Values keep what `structuredClone` keeps, as in the cache itself.
 * Without a TTL an entry never expires.
 */
export function cacheManagerStore(cache: Keys | FleetKeys, options: CacheManagerStoreOptions = {}): Keyv {
  const plain = { serialize: undefined, deserialize: undefined } as unknown as KeyvOptions;
  return new Keyv({ ...plain, ...options, store: keyvStore(cache) });
}
