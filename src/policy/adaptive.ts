import type { EvictionPolicy, PolicyFactory, PolicyMemory, PolicyShared } from './policy.js';
import { SELECTED, Selector } from './selector.js';
import { type Configuration, TwoQueue } from './two-queue.js';

const LOOP: Configuration = { name: 'loop', smallShare: 0.0025, windowShare: 0, admission: 'frequency' };
const CLOCK_2Q: Configuration = { name: 'clock2q+', smallShare: 0.1, windowShare: 0.5, admission: 'hit' };
const RECENCY: Configuration = { name: 'recency', smallShare: 0.6, windowShare: 0, admission: 'hit' };
const FREQUENCY: Configuration = { name: 'frequency', smallShare: 0.2, windowShare: 0, admission: 'frequency' };

/** Caches of this many entries start as Clock2Q+: loops that long are rare, and learning takes longer. */
const LARGE_ENTRIES = 4096;

/** The first one is in force until the simulations prefer another. */
function configurations(totalCapacityEntries: number): readonly Configuration[] {
  return totalCapacityEntries < LARGE_ENTRIES
    ? [LOOP, CLOCK_2Q, RECENCY, FREQUENCY]
    : [CLOCK_2Q, RECENCY, LOOP, FREQUENCY];
}

/** This thread's selectors: one per cache, whatever the number of shards. */
const selectors = new WeakMap<PolicyShared, Selector>();

/** Two queues in each shard, run in the configuration that the cache's selector finds best for the load. */
class Adaptive implements EvictionPolicy {
  readonly needsEveryHit = false;
  readonly #memory: PolicyMemory;
  readonly #queues: TwoQueue;
  readonly #selector: Selector;

  constructor(memory: PolicyMemory, shared: PolicyShared) {
    this.#memory = memory;
    const choices = configurations(shared.totalCapacityEntries);
    this.#queues = new TwoQueue(memory, choices, shared.words, SELECTED);
    const selector = selectors.get(shared) ?? new Selector(shared, choices);
    selectors.set(shared, selector);
    this.#selector = selector;
  }

  hit(slot: number, hash: number, entryWord: number): void {
    this.#queues.hit(slot, hash, entryWord);
    this.#selector.request(hash);
  }

  recency(slot: number, entryWord: number, written: number): number {
    return this.#queues.recency(slot, entryWord, written);
  }

  insertLocked(slot: number, hash: number): void {
    this.#queues.insertLocked(slot, hash);
    this.#selector.request(hash);
  }

  updateLocked(slot: number, hash: number): void {
    this.hit(slot, hash, this.#memory.policyWord(slot));
  }

  removeLocked(slot: number, evicted: boolean): void {
    this.#queues.removeLocked(slot, evicted);
  }

  victimLocked(step: number): number {
    return this.#queues.victimLocked(step);
  }

  resetLocked(): void {
    this.#queues.resetLocked();
  }

  inspectLocked(isFilled: (slot: number) => boolean, problem: (message: string) => void): void {
    this.#queues.inspectLocked(isFilled, problem);
  }
}

export const adaptive: PolicyFactory = {
  name: 'adaptive',
  shardWords: (capacity) => TwoQueue.words(capacity, configurations(capacity)),
  globalWords: (total) => Selector.words(total, configurations(total)),
  create: (memory, shared) => new Adaptive(memory, shared),
};
