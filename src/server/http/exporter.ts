import { type HottestKeys, type MonitorInterval, type SharedCache, SharedMonitor } from '../../index.js';

/** A cache with this server's own view of its monitor: `interval()` of the program's is left to the program. */
export class Exporter {
  readonly cache: SharedCache<unknown>;
  /** Whether there are latencies. */
  readonly isTimed: boolean;
  readonly #monitor: SharedMonitor;

  constructor(cache: SharedCache<unknown>) {
    const { monitor } = cache;
    this.cache = cache;
    this.isTimed = monitor !== undefined;
    // One that nothing is recorded in writes the cache's own totals all the same.
    this.#monitor =
      monitor === undefined
        ? new SharedMonitor({ operations: 1, threads: 1, histograms: 1, retention: 1 })
        : SharedMonitor.attach(monitor.handle);
    this.#monitor.observe(() => cache.getStats());
  }

  /** Prometheus text exposition format. Throws ERR_CLOSED once the cache is closed. */
  metrics(): string {
    this.cache.getStats();
    return this.#monitor.toPrometheus();
  }

  /** The statistics, and the summary of each operation where there are latencies. */
  stats(): object {
    const stats = this.cache.getStats();
    return this.isTimed ? { ...stats, operations: this.#monitor.getPerformanceSummary() } : stats;
  }

  /** The operations since the last call. */
  interval(): MonitorInterval {
    return this.#monitor.interval();
  }

  /** The keys that most operations of the last minute had; undefined without a monitor. */
  hottest(): HottestKeys | undefined {
    return this.isTimed ? this.#monitor.getHottestKeys() : undefined;
  }

  close(): void {
    this.#monitor.close();
  }
}
