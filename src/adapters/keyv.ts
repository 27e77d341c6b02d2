import { clearUnder, type FleetKeys, isFleet, type Keys, keysUnder, short, ttlFrom } from './keyspace.js';

/**
 * A store for [Keyv](https://keyv.org) 5 and 6. Keyv puts its namespace before the keys itself; a Keyv without one clears
 * all that the given cache or namespace holds.
 */
export interface KeyvStore {
  /** Keyv 5 iterates over stores that look like a database it knows; the values mean nothing here. */
  readonly opts: { readonly url: string; readonly dialect: string };
  /** Keyv 5 writes its namespace here. */
  namespace?: string | undefined;
  get<Value>(key: string): Promise<Value | undefined>;
  getMany<Value>(keys: string[]): Promise<(Value | undefined)[]>;
  set(key: string, value: unknown, ttl?: number): Promise<boolean>;
  has(key: string): Promise<boolean>;
  hasMany(keys: string[]): Promise<boolean[]>;
  delete(key: string): Promise<boolean>;
  clear(): Promise<void>;
  /** Not of a fleet, which lists no keys. */
  iterator?<Value>(namespace?: string): AsyncGenerator<[string, Value | undefined], void>;
  on(event: string, listener: (...args: unknown[]) => void): this;
}

/**
 * `new Keyv({ store: keyvStore(cache) })`. Without a TTL an entry never expires, as Keyv promises. A value that is too large
 * is not stored: `set` resolves to false.
 *
 * There is no `deleteMany` and no `setMany`, on purpose: Keyv 5 and Keyv 6 expect different answers of them, and both make
 * the right one from single calls.
 */
export function keyvStore(cache: Keys | FleetKeys): KeyvStore {
  return {
    opts: { url: '', dialect: 'redis' },
    async get<Value>(key: string) {
      return (await cache.get(key)) as Value | undefined;
    },
    async getMany<Value>(keys: string[]) {
      return (await cache.getMany(keys)) as (Value | undefined)[];
    },
    async set(key, value, ttl) {
      // By this tag a fleet finds what one namespace has to clear.
      const tags = isFleet(cache) && this.namespace ? [tagOf(this.namespace)] : undefined;
      return cache.put(key, value, { ttl: ttlFrom(ttl, Number.POSITIVE_INFINITY), tags });
    },
    async has(key) {
      return cache.has(key);
    },
    async hasMany(keys) {
      return isFleet(cache) ? Promise.all(keys.map((key) => cache.has(key))) : cache.hasMany(keys);
    },
    async delete(key) {
      return cache.delete(key);
    },
    async clear() {
      if (!isFleet(cache)) clearUnder(cache, prefixOf(this.namespace));
      else if (this.namespace) await cache.invalidateTags(tagOf(this.namespace));
      else await cache.clear();
    },
    ...(isFleet(cache) ? {} : { iterator: iteratorOf(cache) }),
    on() {
      return this;
    },
  };
}

const prefixOf = (namespace: string | undefined): string => (namespace ? `${namespace}:` : '');
const tagOf = (namespace: string): string => short(`keyv:${namespace}`);

function iteratorOf(cache: Keys): NonNullable<KeyvStore['iterator']> {
  return async function* <Value>(namespace?: string) {
    for (const key of keysUnder(cache, prefixOf(namespace))) {
      const value = cache.peek(key);
      if (value !== undefined) yield [key, value as Value] as [string, Value];
    }
  };
}
