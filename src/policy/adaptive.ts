import { CHOSEN, Chooser } from './chooser.js';
import { type Configuration, Plane } from './plane.js';
import type { EvictionPolicy, PolicyFactory, PolicyMemory, PolicyShared } from './policy.js';

const LOOP: Configuration = { name: 'loop', smallShare: 0.0025, windowShare: 0, admission: 'frequency' };
const TWO_QUEUES: Configuration = { name: 'two queues', smallShare: 0.1, windowShare: 0.5, admission: 'hit' };
const RECENCY: Configuration = { name: 'recency', smallShare: 0.6, windowShare: 0, admission: 'hit' };
const FREQUENCY: Configuration = { name: 'frequency', smallShare: 0.2, windowShare: 0, admission: 'frequency' };

/** Caches of this many entries begin with two queues: loops that long are rare, and learning takes longer. */
const LARGE_ENTRIES = 4096;

/** The first one is in force until the simulations know better. */
function configurations(totalCapacityEntries: number): readonly Configuration[] {
  return totalCapacityEntries < LARGE_ENTRIES
    ? [LOOP, TWO_QUEUES, RECENCY, FREQUENCY]
    : [TWO_QUEUES, RECENCY, LOOP, FREQUENCY];
}

/** This thread's choosers: one per cache, whatever the number of shards. */
const choosers = new WeakMap<PolicyShared, Chooser>();

class Adaptive implements EvictionPolicy {
  readonly #memory: PolicyMemory;
  readonly #plane: Plane;
  readonly #chooser: Chooser;

  constructor(memory: PolicyMemory, shared: PolicyShared) {
    this.#memory = memory;
    const choices = configurations(shared.totalCapacityEntries);
    this.#plane = new Plane(memory, choices, shared.words, CHOSEN);
    const chooser = choosers.get(shared) ?? new Chooser(shared, choices);
    choosers.set(shared, chooser);
    this.#chooser = chooser;
  }

  hit(slot: number, hash: number, entryWord: number): void {
    this.#plane.hit(slot, hash, entryWord);
    this.#chooser.request(hash);
  }

  insertLocked(slot: number, hash: number): void {
    this.#plane.insertLocked(slot, hash);
    this.#chooser.request(hash);
  }

  updateLocked(slot: number, hash: number): void {
    this.hit(slot, hash, this.#memory.policyWord(slot));
  }

  removeLocked(slot: number, evicted: boolean): void {
    this.#plane.removeLocked(slot, evicted);
  }

  victimLocked(step: number): number {
    return this.#plane.victimLocked(step);
  }

  resetLocked(): void {
    this.#plane.resetLocked();
  }

  inspectLocked(isFilled: (slot: number) => boolean, problem: (message: string) => void): void {
    this.#plane.inspectLocked(isFilled, problem);
  }
}

export const adaptive: PolicyFactory = {
  name: 'adaptive',
  shardWords: (capacity) => Plane.words(capacity, configurations(capacity)),
  globalWords: (total) => Chooser.words(total, configurations(total)),
  create: (memory, shared) => new Adaptive(memory, shared),
};
