import { MiniTable } from './mini-table.js';
import { type Configuration, Plane } from './plane.js';
import type { PolicyShared } from './policy.js';

/**
 * One key in so many is simulated, and so is the capacity. Small simulations are often wrong (a loop a little longer than the
 * cache fits when few of its keys are sampled), so small caches simulate more: one key in eight up to as many entries as is
 * clear enough, and so many entries at least.
 */
const SAMPLING = 64;
const DENSEST = 8;
const CLEAR_ENTRIES = 1024;
const LEAST_ENTRIES = 256;
const MOST_ENTRIES = 8192;
/** A choice is made so many times while the cache serves as many requests as it holds entries, or this many if it is small. */
const CHOICES = 8;
const LEAST_REQUESTS = 1000;
/** By this share more hits than those of the configuration in force are no lead: a change has to be worth it. */
const LEAST_SHARE = 0.003;
/**
 * What another configuration must lead by to be chosen: so many requests of the whole cache, since a change costs hits as
 * well, which is a number of sampled hits within these bounds; and two standard deviations, else chance decides: of n requests
 * that only one of the two served, the difference is by chance the square root.
 */
const LEAST_LEAD = 350;
const LEAST_SAMPLED_LEAD = 4;
const MOST_LEAD_PER_ENTRY = 0.35;
const DEVIATIONS = 2;
/** It must lead so for two choices on end, and for so many requests and sampled requests: fewer are a whim of the load. */
const LEADING_CHOICES = 2;
const LEADING_REQUESTS = 2048;
const LEADING_SAMPLED = 256;
/** Sampled requests of a thread that are simulated at a time, and those it holds back while others simulate. */
const BATCH = 8;
const MOST_PENDING = 256;
/** Leads are hits, in thousandths. */
const UNIT = 1000;

/** The word that all threads read; the others, written often, are in other cache lines. */
export const CHOSEN = 0;
const REQUESTS = 16;
/** The configuration that leads clearly, and for how many choices it has. */
const LEADER = 17;
export const LED = 18;
/** Of each configuration: its lead over the one in force, and the requests since it took it that only one of them served. */
export const LEADS = 19;
const LEAD_WORDS = 2;
/** A simulation has one configuration: there is nothing to choose. */
const ALWAYS = Int32Array.of(0);

/**
 * Chooses the configuration that would have served the latest requests best, for the whole cache: each is simulated on a
 * sampled part of the key space, at a capacity scaled down alike, by the same code that runs the cache.
 *
 *   every sampled request (a hit or a put):  each simulation serves it; lead = max(0, lead + its hit - hit of the one in force)
 *   eight times per capacity of requests:    the one with the largest lead is chosen, if it has led clearly for long
 *
 * A lead begins at nothing whenever it was lost, so neither what was long ago nor a mistake has to be outweighed, and a small
 * advantage that lasts is worth as much as a large one that does not: this finds a change soonest at a given rate of false
 * alarms (Page, "Continuous inspection schemes", Biometrika 1954).
 *
 * Miniature simulations: Waldspurger, Saemundsson, Ahmad and Park, "Cache modeling and optimization using miniature
 * simulations", USENIX ATC 2017.
 */
export class Chooser {
  readonly #shared: PolicyShared;
  readonly #tables: readonly MiniTable[];
  readonly #threshold: number;
  readonly #sampledPerChoice: number;
  readonly #leadingChoices: number;
  readonly #leastLead: number;
  readonly #pending: number[] = [];

  constructor(shared: PolicyShared, configurations: readonly Configuration[]) {
    const total = shared.totalCapacityEntries;
    const entries = simulatedEntries(total);
    this.#shared = shared;
    this.#leastLead = leastSampledLead(entries, total) * UNIT;
    this.#threshold = (entries / total) * 2 ** 32;
    const requestsPerChoice = Math.max(LEAST_REQUESTS, total) / CHOICES;
    this.#sampledPerChoice = Math.ceil((requestsPerChoice * entries) / total);
    const leading = Math.max(LEADING_REQUESTS / requestsPerChoice, LEADING_SAMPLED / this.#sampledPerChoice);
    this.#leadingChoices = Math.max(LEADING_CHOICES, Math.ceil(leading));
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
      if (++m[REQUESTS] >= this.#sampledPerChoice) this.#choose();
    }
    this.#pending.length = 0;
    this.#shared.unlock();
  }

  /** Each simulation serves the request, and gains on the one in force or loses. */
  #serve(hash: number): void {
    const m = this.#shared.words;
    const chosen = this.#chosen();
    const servedByChosen = this.#tables[chosen].access(hash);
    for (let i = 0; i < this.#tables.length; i++) {
      if (i === chosen) continue;
      const served = this.#tables[i].access(hash);
      const lead = leadWord(i);
      if (servedByChosen) m[lead] -= UNIT * LEAST_SHARE;
      if (served !== servedByChosen) {
        m[lead] += served ? UNIT : -UNIT;
        m[lead + 1]++;
      }
      if (m[lead] <= 0) m[lead] = m[lead + 1] = 0;
    }
  }

  #choose(): void {
    const m = this.#shared.words;
    let best = 0;
    for (let i = 1; i < this.#tables.length; i++) if (this.#lead(i) > this.#lead(best)) best = i;
    m[REQUESTS] = 0;
    m[LED] = this.#leadsClearly(best) ? (m[LEADER] === best ? m[LED] : 0) + 1 : 0;
    m[LEADER] = best;
    if (m[LED] < this.#leadingChoices) return;
    m[CHOSEN] = best;
    m.fill(0, LEADER, headWords(this.#tables.length));
  }

  #leadsClearly(configuration: number): boolean {
    const onlyOneServed = this.#shared.words[leadWord(configuration) + 1];
    const chance = DEVIATIONS * UNIT * Math.sqrt(Math.max(0, onlyOneServed));
    return this.#lead(configuration) > Math.max(this.#leastLead, chance);
  }

  /** That of the configuration in force is always zero. */
  #lead(configuration: number): number {
    return this.#shared.words[leadWord(configuration)];
  }

  #chosen(): number {
    return (this.#shared.words[CHOSEN] >>> 0) % this.#tables.length;
  }
}

function simulatedEntries(total: number): number {
  const clear = Math.min(CLEAR_ENTRIES, Math.ceil(total / DENSEST));
  const sampled = Math.ceil(total / SAMPLING);
  return Math.min(total, MOST_ENTRIES, Math.max(LEAST_ENTRIES, clear, sampled));
}

function tableWords(entries: number, configuration: Configuration): number {
  return MiniTable.words(entries, Plane.words(entries, [configuration]));
}

function leastSampledLead(entries: number, total: number): number {
  const lead = Math.max(LEAST_SAMPLED_LEAD, (LEAST_LEAD * entries) / total);
  return Math.min(lead, entries * MOST_LEAD_PER_ENTRY);
}

function leadWord(configuration: number): number {
  return LEADS + LEAD_WORDS * configuration;
}

function headWords(configurations: number): number {
  return leadWord(configurations);
}
