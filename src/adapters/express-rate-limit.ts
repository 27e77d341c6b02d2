import type { ClientRateLimitInfo, Options, Store } from 'express-rate-limit';
import type { FleetKeys, Keys } from './keyspace.js';

/** Settings of the store. */
export interface RateLimitStoreOptions {
  /** Name of the namespace of the cache that the counters are kept in: one for each limiter. Default `'rate-limit'`. */
  prefix?: string | undefined;
}

/**
 * A store for [express-rate-limit](https://express-rate-limit.mintlify.app) 6 to 8:
 * `rateLimit({ windowMs, limit, store: rateLimitStore(cache) })`. All threads that serve count together, and exactly the
 * limit is let through: a count and the end of its window come from one atomic step. A counter that is evicted begins anew,
 * so the cache must have room for the clients of one window. Over a fleet, a request whose count the remote does not answer is an
 * error of the store: `passOnStoreError` decides.
 */
export function rateLimitStore(cache: Keys | FleetKeys, options: RateLimitStoreOptions = {}): Store {
  return new RateLimitStore(cache, options.prefix ?? 'rate-limit');
}

class RateLimitStore implements Store {
  /** What is counted here counts for every store of the same cache. */
  readonly localKeys = false;
  readonly prefix: string;
  readonly #counters: Keys | FleetKeys;
  #windowMs = 60_000;

  constructor(cache: Keys | FleetKeys, prefix: string) {
    this.prefix = prefix;
    this.#counters = cache.namespace(prefix);
  }

  init({ windowMs }: Pick<Options, 'windowMs'>): void {
    this.#windowMs = windowMs;
  }

  async get(key: string): Promise<ClientRateLimitInfo | undefined> {
    const [count, expiresIn] = await Promise.all([this.#counters.get(key), this.#counters.expiresIn(key)]);
    if (count === undefined || expiresIn === undefined) return undefined;
    return { totalHits: count as number, resetTime: dateIn(expiresIn) };
  }

  async increment(key: string): Promise<ClientRateLimitInfo> {
    const { value, expiresIn } = await this.#counters.incrementEntry(key, 1, { ttl: this.#windowMs });
    return { totalHits: value, resetTime: dateIn(expiresIn) };
  }

  /** A counter whose window is over meanwhile is not begun anew: with a TTL of 0 nothing is stored. */
  async decrement(key: string): Promise<void> {
    const count = (await this.#counters.get(key)) as number | undefined;
    if (count !== undefined && count > 0) await this.#counters.increment(key, -1, { ttl: 0 });
  }

  async resetKey(key: string): Promise<void> {
    await this.#counters.delete(key);
  }

  async resetAll(): Promise<void> {
    await this.#counters.clear();
  }
}

function dateIn(ms: number): Date {
  return new Date(Date.now() + ms);
}
