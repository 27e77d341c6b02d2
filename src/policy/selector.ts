import { MiniSimulation } from './mini-simulation.js';
import type { PolicyShared } from './policy.js';
import { type Configuration, TwoQueue } from './two-queue.js';

/**
 * Sampling: one key in 64 is simulated, at a 64th of the capacity. Small simulations are often wrong (a loop slightly longer
 * than the cache fits if few of its keys are sampled), so small caches sample more: one key in eight up to 1,024 simulated
 * entries, and never fewer than 256 entries.
 */
const SAMPLING = 64;
const DENSEST = 8;
const CLEAR_ENTRIES = 1024;
const LEAST_ENTRIES = 256;
const MOST_ENTRIES = 8192;
/** Selections while the cache serves as many requests as it holds entries, or 1,000 requests if it holds fewer. */
const SELECTIONS = 8;
const LEAST_REQUESTS = 1000;
/** A change has to be worth it: this share of the hits of the configuration in force is taken off each lead. */
const LEAST_SHARE = 0.003;
/**
 * The lead that selects another configuration. It is given in requests of the whole cache, since a change costs hits as well,
 * and becomes a number of sampled hits within these bounds. It also has to be two standard deviations: of n requests that only
 * one of two configurations served, the difference is sqrt(n) by chance.
 */
const LEAST_LEAD = 350;
const LEAST_SAMPLED_LEAD = 4;
const MOST_LEAD_PER_ENTRY = 0.35;
const DEVIATIONS = 2;
/** How long it must lead before it is selected: successive selections, requests, and sampled requests. */
const LEADING_SELECTIONS = 2;
const LEADING_REQUESTS = 2048;
const LEADING_SAMPLED = 256;
/** A thread simulates this many sampled requests at a time, and drops them if it has this many while others simulate. */
const BATCH = 8;
const MOST_PENDING = 256;
/** Leads are counted in thousandths of a hit. */
const UNIT = 1000;

/** The configuration in force: the one word all threads read. The words below are written often, so they are in other cache
 *  lines. */
export const SELECTED = 0;
const REQUESTS = 16;
/** The configuration that leads clearly, and for how many selections in a row. */
const LEADER = 17;
export const LED = 18;
/** Per configuration: its lead over the one in force, and the requests since its lead began that only one of them served. */
export const LEADS = 19;
const LEAD_WORDS = 2;
/** What a simulation reads as its selection: it has one configuration. */
const ALWAYS_FIRST = Int32Array.of(0);

/**
 * Selects the configuration that would have served the latest requests best, for the whole cache. Each configuration is
 * simulated on a sample of the keys with the capacity scaled down alike, by the same code that runs the cache.
 *
 *   each sampled request (a hit or a put):  every simulation serves it
 *                                           lead(c) = max(0, lead(c) + c's hit - hit of the configuration in force)
 *   eight times per capacity of requests:   the configuration with the largest lead is selected, if it leads clearly and long
 *
 * A lead starts at zero again whenever it is lost. So neither the distant past nor a wrong selection has to be outweighed, and
 * a small advantage that lasts counts as much as a large one that does not. For a given rate of false alarms this detects a
 * change soonest (Page, "Continuous inspection schemes", Biometrika 1954).
 *
 * Miniature simulations: Waldspurger, Saemundsson, Ahmad and Park, "Cache modeling and optimization using miniature
 * simulations", USENIX ATC 2017.
 */
export class Selector {
  readonly #shared: PolicyShared;
  readonly #simulations: readonly MiniSimulation[];
  readonly #threshold: number;
  readonly #sampledPerSelection: number;
  readonly #leadingSelections: number;
  readonly #leastLead: number;
  /** Hashes of sampled requests that wait for their simulation. Not an array: other code's setters must not run here. */
  readonly #pending = new Int32Array(MOST_PENDING);
  #pendingCount = 0;

  constructor(shared: PolicyShared, configurations: readonly Configuration[]) {
    const total = shared.totalCapacityEntries;
    const entries = simulatedEntries(total);
    this.#shared = shared;
    this.#leastLead = leastSampledLead(entries, total) * UNIT;
    this.#threshold = (entries / total) * 2 ** 32;
    const requestsPerSelection = Math.max(LEAST_REQUESTS, total) / SELECTIONS;
    this.#sampledPerSelection = Math.ceil((requestsPerSelection * entries) / total);
    const leading = Math.max(LEADING_REQUESTS / requestsPerSelection, LEADING_SAMPLED / this.#sampledPerSelection);
    this.#leadingSelections = Math.max(LEADING_SELECTIONS, Math.ceil(leading));
    let word = headWords(configurations.length);
    this.#simulations = configurations.map((configuration) => {
      const simulation = new MiniSimulation(shared.words, word, entries);
      simulation.use(new TwoQueue(simulation, [configuration], ALWAYS_FIRST, 0));
      word += simulationWords(entries, configuration);
      return simulation;
    });
  }

  static words(totalCapacityEntries: number, configurations: readonly Configuration[]): number {
    const entries = simulatedEntries(totalCapacityEntries);
    return configurations.reduce(
      (words, one) => words + simulationWords(entries, one),
      headWords(configurations.length),
    );
  }

  /** Counts a request for the key, a hit or a put. Touches shared memory for sampled keys only, and never waits. */
  request(hash: number): void {
    const mixed = Math.imul(hash ^ (hash >>> 14), 0x2c1b3c6d);
    if (Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39) >>> 0 >= this.#threshold) return;
    this.#pending[this.#pendingCount++] = hash;
    if (this.#pendingCount % BATCH === 0) this.#simulate();
  }

  #simulate(): void {
    const outcome = this.#shared.tryLock();
    if (outcome === 'busy') {
      if (this.#pendingCount === MOST_PENDING) this.#pendingCount = 0;
      return;
    }
    if (outcome === 'stolen') this.#shared.words.fill(0, REQUESTS);
    const m = this.#shared.words;
    for (let i = 0; i < this.#pendingCount; i++) {
      this.#serve(this.#pending[i]);
      if (++m[REQUESTS] >= this.#sampledPerSelection) this.#select();
    }
    this.#pendingCount = 0;
    this.#shared.unlock();
  }

  /** Every simulation serves the request, and its lead over the one in force grows or shrinks. */
  #serve(hash: number): void {
    const m = this.#shared.words;
    const selected = this.#selected();
    const servedBySelected = this.#simulations[selected].access(hash);
    for (let i = 0; i < this.#simulations.length; i++) {
      if (i === selected) continue;
      const served = this.#simulations[i].access(hash);
      const lead = leadWord(i);
      if (servedBySelected) m[lead] -= UNIT * LEAST_SHARE;
      if (served !== servedBySelected) {
        m[lead] += served ? UNIT : -UNIT;
        m[lead + 1]++;
      }
      if (m[lead] <= 0) m[lead] = m[lead + 1] = 0;
    }
  }

  #select(): void {
    const m = this.#shared.words;
    let best = 0;
    for (let i = 1; i < this.#simulations.length; i++) if (this.#lead(i) > this.#lead(best)) best = i;
    m[REQUESTS] = 0;
    m[LED] = this.#leadsClearly(best) ? (m[LEADER] === best ? m[LED] : 0) + 1 : 0;
    m[LEADER] = best;
    if (m[LED] < this.#leadingSelections) return;
    m[SELECTED] = best;
    m.fill(0, LEADER, headWords(this.#simulations.length));
  }

  #leadsClearly(configuration: number): boolean {
    const onlyOneServed = this.#shared.words[leadWord(configuration) + 1];
    const chance = DEVIATIONS * UNIT * Math.sqrt(Math.max(0, onlyOneServed));
    return this.#lead(configuration) > Math.max(this.#leastLead, chance);
  }

  /** The lead over the configuration in force, whose own lead is always zero. */
  #lead(configuration: number): number {
    return this.#shared.words[leadWord(configuration)];
  }

  #selected(): number {
    return (this.#shared.words[SELECTED] >>> 0) % this.#simulations.length;
  }
}

function simulatedEntries(total: number): number {
  const clear = Math.min(CLEAR_ENTRIES, Math.ceil(total / DENSEST));
  const sampled = Math.ceil(total / SAMPLING);
  return Math.min(total, MOST_ENTRIES, Math.max(LEAST_ENTRIES, clear, sampled));
}

function simulationWords(entries: number, configuration: Configuration): number {
  return MiniSimulation.words(entries, TwoQueue.words(entries, [configuration]));
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
