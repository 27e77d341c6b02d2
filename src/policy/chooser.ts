import { MiniTable } from './mini-table.js';
import { type Configuration, Plane } from './plane.js';
import type { PolicyShared } from './policy.js';

/**
 * One key in so many is simulated, and so is the capacity; but no fewer and no more entries than these. Small simulations are
 * often wrong, so small caches simulate more: as many entries as is clear enough if that takes no more than one key in eight,
 * and twice as many if that takes no more than one in 32.
 */
const SAMPLING = 64;
const LEAST_ENTRIES = 96;
const CLEAR_ENTRIES = 512;
const DENSEST = 8;
const CLEARER_ENTRIES = 1024;
const DENSE = 32;
const MOST_ENTRIES = 8192;
/** A choice is made so many times while the cache serves as many requests as it holds entries, or this many if it is small. */
const CHOICES = 8;
const LEAST_REQUESTS = 1000;
/** Weight of the past in a score, per choice: 0.85 per capacity of requests. */
const PAST = 0.98;
/**
 * What another configuration must lead by to be chosen: this share of the score; a hundred and fifty requests of the whole
 * cache, since a change costs hits as well, which is a number of sampled hits within these bounds; and a standard deviation,
 * else chance decides: of n requests that only one of the two served, the difference is by chance the square root.
 */
const LEAST_SHARE = 0.005;
const LEAST_LEAD = 150;
const LEAST_SAMPLED_LEAD = 4;
const MOST_SAMPLED_LEAD = 20;
const MOST_LEAD_PER_ENTRY = 0.15;
/** It must lead so for two choices on end, and for so many sampled requests: a few dozen of them are a whim of the load. */
const LEADING_CHOICES = 2;
const LEADING_REQUESTS = 128;
/** Sampled requests of a thread that are simulated at a time, and those it holds back while others simulate. */
const BATCH = 8;
const MOST_PENDING = 256;
/** Scores are hits, discounted with time, in thousandths. */
const UNIT = 1000;

/** The word that all threads read; the others, written often, are in other cache lines. */
export const CHOSEN = 0;
const REQUESTS = 16;
/** The configuration that leads clearly, and for how many choices it has. */
const LEADER = 17;
export const LED = 18;
/** Of each configuration: hits since the last choice, and its score. */
export const HITS = 19;
/** A simulation has one configuration: there is nothing to choose. */
const ALWAYS = Int32Array.of(0);

/**
 * Chooses the configuration that would have served the latest requests best, for the whole cache: each is simulated on a
 * sampled part of the key space, at a capacity scaled down alike, by the same code that runs the cache.
 *
 *   every sampled request (a hit or a put):  each simulation serves it and counts its hits
 *   eight times per capacity of requests:    score = 0.98 score + hits; the best one is chosen if it has led clearly for long
 *
 * Miniature simulations: Waldspurger, Saemundsson, Ahmad and Park, "Cache modeling and optimization using miniature
 * simulations", USENIX ATC 2017.
 */
export class Chooser {
  readonly #shared: PolicyShared;
  readonly #tables: readonly MiniTable[];
  readonly #threshold: number;
  readonly #epochRequests: number;
  readonly #leadingChoices: number;
  readonly #leastLead: number;
  readonly #differWord: number;
  readonly #pending: number[] = [];

  constructor(shared: PolicyShared, configurations: readonly Configuration[]) {
    const total = shared.totalCapacityEntries;
    const entries = simulatedEntries(total);
    this.#shared = shared;
    this.#leastLead = leastSampledLead(entries, total) * UNIT;
    this.#differWord = HITS + 2 * configurations.length;
    this.#threshold = Math.min(1, entries / total) * 2 ** 32;
    this.#epochRequests = Math.ceil((Math.max(LEAST_REQUESTS, total) / CHOICES) * Math.min(1, entries / total));
    this.#leadingChoices = Math.max(LEADING_CHOICES, Math.ceil(LEADING_REQUESTS / this.#epochRequests));
    let word = headWords(configurations.length);
    this.#tables = configurations.map((configuration) => {
      const table = new MiniTable(shared.words, word, entries);
      table.use(new Plane(table, [configuration], ALWAYS, 0));
      word += tableWords(entries, configuration);
      return table;
    });
  }

  static words(totalCapacityEntries: number, configurations: readonly Configuration[]): number {
    const entries = simulatedEntries(totalCapacityEntries);
    return configurations.reduce((words, one) => words + tableWords(entries, one), headWords(configurations.length));
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
      this.#serve(hash);
      if (++m[REQUESTS] >= this.#epochRequests) this.#endEpoch();
    }
    this.#pending.length = 0;
    this.#shared.unlock();
  }

  /** Each simulation serves the request; counts the hits, and for each pair whether only one of the two had one. */
  #serve(hash: number): void {
    const m = this.#shared.words;
    const count = this.#tables.length;
    let served = 0;
    for (let i = 0; i < count; i++) {
      if (!this.#tables[i].access(hash)) continue;
      m[HITS + 2 * i]++;
      served |= 1 << i;
    }
    if (served === 0 || served === (1 << count) - 1) return;
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < i; j++) if (((served >> i) ^ (served >> j)) & 1) m[this.#pairWord(i, j)] += UNIT;
    }
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
    const isClear = best !== chosen && this.#leadsClearly(best, chosen);
    for (let i = 0; i < this.#tables.length; i++) {
      for (let j = 0; j < i; j++) m[this.#pairWord(i, j)] *= PAST;
    }
    m[LED] = isClear ? (m[LEADER] === best ? m[LED] : 0) + 1 : 0;
    m[LEADER] = best;
    m[REQUESTS] = 0;
    if (m[LED] < this.#leadingChoices) return;
    m[CHOSEN] = best;
    // From here on evidence counts anew. What spoke for a change that was a mistake would have to be outweighed first.
    m.fill(0, LEADER, this.#differWord + this.#tables.length ** 2);
  }

  #leadsClearly(best: number, chosen: number): boolean {
    const m = this.#shared.words;
    const score = m[HITS + 2 * chosen + 1];
    const chance = Math.sqrt(Math.max(0, m[this.#pairWord(best, chosen)]) * UNIT);
    return m[HITS + 2 * best + 1] - score > Math.max(this.#leastLead, score * LEAST_SHARE, chance);
  }

  /** The word that counts requests served by one of the two only, discounted as the scores are. */
  #pairWord(i: number, j: number): number {
    return this.#differWord + Math.max(i, j) * this.#tables.length + Math.min(i, j);
  }
}

function simulatedEntries(totalCapacityEntries: number): number {
  const clear = Math.min(CLEAR_ENTRIES, Math.ceil(totalCapacityEntries / DENSEST));
  const clearer = Math.min(CLEARER_ENTRIES, Math.ceil(totalCapacityEntries / DENSE));
  const sampled = Math.ceil(totalCapacityEntries / SAMPLING);
  return Math.min(MOST_ENTRIES, Math.max(LEAST_ENTRIES, clear, clearer, sampled));
}

function tableWords(entries: number, configuration: Configuration): number {
  return MiniTable.words(entries, Plane.words(entries, [configuration]));
}

function leastSampledLead(entries: number, total: number): number {
  const lead = Math.max(LEAST_SAMPLED_LEAD, (LEAST_LEAD * entries) / total);
  return Math.min(lead, MOST_SAMPLED_LEAD, entries * MOST_LEAD_PER_ENTRY);
}

function headWords(configurations: number): number {
  return HITS + 2 * configurations + configurations ** 2;
}
