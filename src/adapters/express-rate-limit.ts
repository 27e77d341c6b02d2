import type { ClientRateLimitInfo, Options, Store } from 'express-rate-limit';
import type { Namespace } from '../index.js';
import type { Keys } from './keyspace.js';

/** Settings of the store. */
export interface RateLimitStoreOptions {
  /** Name of the namespace of the cache that the counters are kept in: one for each limiter. Default `'rate-limit'`. */
  prefix?: string | undefined;
}

/**
 * A store for [express-rate-limit](https://express-rate-limit.mintlify.app) 6 to 8:
 * `rateLimit({ windowMs, limit, store: rateLimitStore(cache) })`. All threads that serve count together, and exactly the
 * limit is let through: a count and the end of its window come from one atomic step. A counter that is evicted begins anew,
 * so the cache must have room for the clients of one window.
 */
export function rateLimitStore(cache: Keys, options: RateLimitStoreOptions = {}): Store {
  return new RateLimitStore(cache, options.prefix ?? 'rate-limit');
}

class RateLimitStore implements Store {
  /** What is counted here counts for every store of the same cache. */
  readonly localKeys = false;
  readonly prefix: string;
  readonly #counters: Namespace<number>;
  #windowMs = 60_000;

  constructor(cache: Keys, prefix: string) {
    this.prefix = prefix;
    this.#counters = cache.namespace<number>(prefix);
  }

  init({ windowMs }: Pick<Options, 'windowMs'>): void {
    this.#windowMs = windowMs;
  }

  get(key: string): ClientRateLimitInfo | undefined {
    const entry = this.#counters.entry(key);
    return entry && { totalHits: entry.value, resetTime: dateIn(entry.expiresIn) };
  }

  increment(key: string): ClientRateLimitInfo {
    const { value, expiresIn } = this.#counters.incrementEntry(key, 1, { ttl: this.#windowMs });
    return { totalHits: value, resetTime: dateIn(expiresIn) };
  }

  /** A counter whose window is over meanwhile is not begun anew: with a TTL of 0 nothing is stored. */
  decrement(key: string): void {
    const count = this.#counters.peek(key);
    if (count !== undefined && count > 0) this.#counters.increment(key, -1, { ttl: 0 });
  }

  resetKey(key: string): void {
    this.#counters.delete(key);
  }

  resetAll(): void {
    this.#counters.clear();
  }
}

function dateIn(ms: number): Date {
  return new Date(Date.now() + ms);
}
