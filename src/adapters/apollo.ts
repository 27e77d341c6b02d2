import { type FleetKeys, type Keys, ttlFrom } from './keyspace.js';

/** The `KeyValueCache` of Apollo Server and its data sources. */
export interface ApolloCache {
  get(key: string): Promise<string | undefined>;
  /** `ttl` is in seconds; null never expires, unset is the cache's own TTL. */
  set(key: string, value: string, options?: { ttl?: number | null }): Promise<void>;
  delete(key: string): Promise<boolean>;
}

/** `new ApolloServer({ cache: apolloCache(cache) })`. A value that is too large for the cache is not kept. */
export function apolloCache(cache: Keys | FleetKeys): ApolloCache {
  return {
    async get(key) {
      return (await cache.get(key)) as string | undefined;
    },
    async set(key, value, options) {
      const seconds = options?.ttl;
      const ttl =
        seconds === null ? Number.POSITIVE_INFINITY : ttlFrom(Number(seconds ?? Number.NaN) * 1_000, undefined);
      await cache.put(key, value, { ttl });
    },
    async delete(key) {
      return cache.delete(key);
    },
  };
}
