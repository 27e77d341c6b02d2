import type { CacheStats, HottestKeys, OperationSummary } from '../../index.js';
import type { Exporter } from '../http/exporter.js';

/** What the cache was at one moment, and what its operations took since the moment before. */
export interface Sample {
  /** ms since the epoch. */
  readonly at: number;
  readonly stats: CacheStats;
  /** ms, by operation; only those that ran, and none without a monitor. */
  readonly latency: Readonly<Record<string, Pick<OperationSummary, 'p50' | 'p90' | 'p99' | 'max'>>>;
}

/** A sample that somebody sees at once, with what is not kept for those who come later. */
export interface LiveSample extends Sample {
  /** Undefined without a monitor. */
  readonly hottest: HottestKeys | undefined;
}

/** So much is kept: five minutes. */
const SAMPLES = 300;
const EVERY_MS = 1_000;

/** The last minutes of a cache, a sample each second, whether somebody looks or not: a page shows them at once. */
export class History {
  readonly #exporter: Exporter;
  readonly #samples: Sample[] = [];
  readonly #listeners = new Set<(sample: LiveSample) => void>();
  readonly #timer: NodeJS.Timeout;

  constructor(exporter: Exporter) {
    this.#exporter = exporter;
    this.#take();
    this.#timer = setInterval(() => this.#take(), EVERY_MS).unref();
  }

  /** Oldest first. */
  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /** Tells each new sample; returns what ends it. */
  listen(listener: (sample: LiveSample) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  #take(): void {
    const { cache, isTimed } = this.#exporter;
    // The program may close its cache before its server.
    if (cache.closed) return;
    const operations = isTimed ? Object.entries(this.#exporter.interval().operations) : [];
    const latency = operations.map(([name, { p50, p90, p99, max }]) => [name, { p50, p90, p99, max }] as const);
    const sample = { at: Date.now(), stats: cache.getStats(), latency: Object.fromEntries(latency) };
    this.#samples.push(sample);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    if (this.#listeners.size === 0) return;
    const live = { ...sample, hottest: this.#exporter.hottest() };
    for (const listener of this.#listeners) listener(live);
  }
}
