import type { CreateDriverResult, L1CacheDriver } from 'bentocache/types';
import { clearUnder, type Keys, ttlFrom } from './keyspace.js';

/** Settings that bentocache hands to a driver. */
interface DriverConfig {
  prefix?: string | undefined;
}

/**
 * A memory layer (L1) for [bentocache](https://bentocache.dev): `bentostore().useL1Layer(bentoDriver(cache))`. All threads
 * share it, so no bus has to keep their L1 layers alike. Prefixes and namespaces become part of the key, as bentocache's
 * own drivers do it: clearing one walks the whole cache.
 */
export function bentoDriver(cache: Keys, options: DriverConfig = {}): CreateDriverResult<L1CacheDriver> {
  return { options, factory: (config: DriverConfig) => new BentoDriver(cache as Keys<string>, config.prefix) };
}

class BentoDriver implements L1CacheDriver {
  readonly type = 'l1';
  readonly #cache: Keys<string>;
  readonly #prefix: string;

  constructor(cache: Keys<string>, prefix = '') {
    this.#cache = cache;
    this.#prefix = prefix.replace(/:+$/, '');
  }

  namespace(namespace: string): L1CacheDriver {
    return new BentoDriver(this.#cache, this.#key(namespace));
  }

  get(key: string): string | undefined {
    return this.#cache.get(this.#key(key));
  }

  pull(key: string): string | undefined {
    return this.#cache.take(this.#key(key));
  }

  set(key: string, value: string, ttl?: number): boolean {
    return this.#cache.put(this.#key(key), value, { ttl: ttlFrom(ttl, Number.POSITIVE_INFINITY) });
  }

  getRemainingTtl(key: string): number | undefined {
    return this.#cache.expiresIn(this.#key(key));
  }

  delete(key: string): boolean {
    return this.#cache.delete(this.#key(key));
  }

  deleteMany(keys: string[]): boolean {
    this.#cache.deleteMany(keys.map((key) => this.#key(key)));
    return true;
  }

  clear(): void {
    clearUnder(this.#cache, this.#key(''));
  }

  /** The cache removes what has expired by itself. */
  prune(): void {}

  /** The cache stays open: whoever made it closes it. */
  disconnect(): void {}

  #key(key: string): string {
    return this.#prefix === '' ? key : `${this.#prefix}:${key}`;
  }
}
