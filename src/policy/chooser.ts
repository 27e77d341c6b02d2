import { MiniTable } from './mini-table.js';
import { type Configuration, Plane } from './plane.js';
import type { PolicyShared } from './policy.js';

/** One key in so many is simulated, and so is the capacity; but no fewer and no more entries than these. */
const SAMPLING = 64;
const LEAST_ENTRIES = 64;
const MOST_ENTRIES = 8192;
/** A choice is made so many times while the cache serves as many requests as it holds entries, or this many if it is small. */
const CHOICES = 8;
const LEAST_REQUESTS = 1000;
/** Weight of the past in a score, per choice: 0.85 per capacity of requests. */
const PAST = 0.98;
/** What another configuration must lead by to be chosen: this share of the score, and so many sampled hits, else chance decides. */
const LEAST_SHARE = 0.005;
const LEAST_LEAD = 4;
/** Sampled requests of a thread that are simulated at a time, and those it holds back while others simulate. */
const BATCH = 8;
const MOST_PENDING = 256;
/** Scores are hits, discounted with time, in thousandths. */
const UNIT = 1000;

/** The word that all threads read; the others, written often, are in other cache lines. */
export const CHOSEN = 0;
const REQUESTS = 16;
const HITS = 17;

/**
 * Chooses the configuration that would have served the latest requests best, for the whole cache: each is simulated on a
 * sampled part of the key space, at a capacity scaled down alike, by the same code that runs the cache.
 *
 *   every sampled request (a hit or a put):  each simulation serves it and counts its hits
 *   eight times per capacity of requests:    score = 0.98 score + hits; the best one is chosen if it leads clearly
 *
 * Miniature simulations: Waldspurger, Saemundsson, Ahmad and Park, "Cache modeling and optimization using miniature
 * simulations", USENIX ATC 2017.
 */
export class Chooser {
  readonly #shared: PolicyShared;
  readonly #tables: readonly MiniTable[];
  readonly #threshold: number;
  readonly #epochRequests: number;
  readonly #pending: number[] = [];

  constructor(shared: PolicyShared, configurations: readonly Configuration[]) {
    const total = shared.totalCapacityEntries;
    const entries = simulatedEntries(total);
    const size = MiniTable.words(entries, Plane.words(entries));
    this.#shared = shared;
    this.#threshold = Math.min(1, entries / total) * 2 ** 32;
    this.#epochRequests = Math.ceil((Math.max(LEAST_REQUESTS, total) / CHOICES) * Math.min(1, entries / total));
    this.#tables = configurations.map((_, i) => {
      const table = new MiniTable(shared.words, headWords(configurations.length) + i * size, entries);
      table.use(new Plane(table, configurations, Int32Array.of(i), 0));
      return table;
    });
  }

  static words(totalCapacityEntries: number, configurations: number): number {
    const entries = simulatedEntries(totalCapacityEntries);
    return headWords(configurations) + configurations * MiniTable.words(entries, Plane.words(entries));
  }

  /** A request for the key; a hit or a put. Lock-free for all but the sampled keys, and never waits. */
  request(hash: number): void {
    const mixed = Math.imul(hash ^ (hash >>> 14), 0x2c1b3c6d);
    if (Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39) >>> 0 >= this.#threshold) return;
    this.#pending.push(hash);
    if (this.#pending.length % BATCH === 0) this.#simulate();
  }

  #simulate(): void {
    const outcome = this.#shared.tryLock();
    if (outcome === 'busy') {
      if (this.#pending.length >= MOST_PENDING) this.#pending.length = 0;
      return;
    }
    if (outcome === 'stolen') this.#shared.words.fill(0, REQUESTS);
    const m = this.#shared.words;
    for (const hash of this.#pending) {
      for (let i = 0; i < this.#tables.length; i++) if (this.#tables[i].access(hash)) m[HITS + 2 * i]++;
      if (++m[REQUESTS] >= this.#epochRequests) this.#endEpoch();
    }
    this.#pending.length = 0;
    this.#shared.unlock();
  }

  #endEpoch(): void {
    const m = this.#shared.words;
    let best = 0;
    for (let i = 0; i < this.#tables.length; i++) {
      const hits = HITS + 2 * i;
      const score = hits + 1;
      m[score] = PAST * m[score] + m[hits] * UNIT;
      m[hits] = 0;
      if (m[score] > m[HITS + 2 * best + 1]) best = i;
    }
    const chosen = (m[CHOSEN] >>> 0) % this.#tables.length;
    const lead = m[HITS + 2 * best + 1] - m[HITS + 2 * chosen + 1];
    if (lead > Math.max(LEAST_LEAD * UNIT, m[HITS + 2 * chosen + 1] * LEAST_SHARE)) m[CHOSEN] = best;
    m[REQUESTS] = 0;
  }
}

function simulatedEntries(totalCapacityEntries: number): number {
  return Math.min(MOST_ENTRIES, Math.max(LEAST_ENTRIES, Math.ceil(totalCapacityEntries / SAMPLING)));
}

function headWords(configurations: number): number {
  return HITS + 2 * configurations;
}
