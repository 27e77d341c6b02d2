import type { CacheStats, HottestKeys, MonitorInterval, SharedCache } from '../index.js';

/** What happened in a cache between two moments, and what it was at the later one. */
export interface Rates {
  /** The later moment, ms since 1970. */
  readonly at: number;
  readonly stats: CacheStats;
  readonly perSecond: Readonly<Record<'gets' | 'puts' | 'deletes' | 'loads' | 'waits', number>>;
  /** Entries a second, by cause. */
  readonly left: Readonly<CacheStats['left']>;
  /** Of the gets between the moments; null when there were none. */
  readonly hitRatio: number | null;
  /** By operation; nothing without a monitor. */
  readonly latency: MonitorInterval['operations'];
  /** Of the last minute; null without a monitor. */
  readonly hottest: HottestKeys | null;
}

/** Looks at a cache again and again, and tells what happened since the look before. */
export class RateMeter {
  readonly #cache: SharedCache<unknown>;
  #before: CacheStats;
  #lookedAt = performance.now();

  constructor(cache: SharedCache<unknown>) {
    this.#cache = cache;
    this.#before = cache.getStats();
    cache.monitor?.interval();
  }

  look(): Rates {
    const before = this.#before;
    const now = performance.now();
    const stats = this.#cache.getStats();
    const seconds = (now - this.#lookedAt) / 1_000;
    const rate = (count: (from: CacheStats) => number): number => (count(stats) - count(before)) / seconds;
    const gets = stats.totalAccesses - before.totalAccesses;
    const causes = Object.keys(stats.left) as (keyof CacheStats['left'])[];
    this.#before = stats;
    this.#lookedAt = now;
    return {
      at: Date.now(),
      stats,
      perSecond: {
        gets: rate((from) => from.totalAccesses),
        puts: rate((from) => from.puts),
        deletes: rate((from) => from.deletes),
        loads: rate((from) => from.loads),
        waits: rate((from) => from.waits),
      },
      left: Object.fromEntries(causes.map((cause) => [cause, rate((from) => from.left[cause])])) as CacheStats['left'],
      hitRatio: gets === 0 ? null : (stats.hits - before.hits) / gets,
      latency: this.#cache.monitor?.interval().operations ?? {},
      hottest: this.#cache.monitor?.getHottestKeys() ?? null,
    };
  }
}
