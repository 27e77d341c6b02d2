import { clearUnder, type Keys, keysUnder, ttlFrom } from './keyspace.js';

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
  iterator<Value>(namespace?: string): AsyncGenerator<[string, Value | undefined], void>;
  on(event: string, listener: (...args: unknown[]) => void): this;
}

/**
 * `new Keyv({ store: keyvStore(cache) })`. Without a TTL an entry never expires, as Keyv promises. A value that is too large
 * is not stored: `set` resolves to false.
 *
 * There is no `deleteMany` and no `setMany`, on purpose: Keyv 5 and Keyv 6 expect different answers of them, and both make
 * the right one from single calls.
 */
export function keyvStore(cache: Keys): KeyvStore {
  const prefixOf = (namespace: string | undefined): string => (namespace ? `${namespace}:` : '');
  return {
    opts: { url: '', dialect: 'redis' },
    async get<Value>(key: string) {
      return cache.get(key) as Value | undefined;
    },
    async getMany<Value>(keys: string[]) {
      return cache.getMany(keys) as (Value | undefined)[];
    },
    async set(key, value, ttl) {
      return cache.put(key, value, { ttl: ttlFrom(ttl, Number.POSITIVE_INFINITY) });
    },
    async has(key) {
      return cache.has(key);
    },
    async hasMany(keys) {
      return cache.hasMany(keys);
    },
    async delete(key) {
      return cache.delete(key);
    },
    async clear() {
      clearUnder(cache, prefixOf(this.namespace));
    },
    async *iterator<Value>(namespace?: string) {
      for (const key of keysUnder(cache, prefixOf(namespace))) {
        const value = cache.peek(key);
        if (value !== undefined) yield [key, value as Value] as [string, Value];
      }
    },
    on() {
      return this;
    },
  };
}
