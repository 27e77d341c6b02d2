import { CHOSEN, Chooser } from './chooser.js';
import { type Configuration, Plane } from './plane.js';
import type { EvictionPolicy, PolicyFactory, PolicyMemory, PolicyShared } from './policy.js';

export const CONFIGURATIONS: readonly Configuration[] = [
  { name: 'loop', smallShare: 0.01, windowShare: 0, admission: 'frequency' },
  { name: 'two queues', smallShare: 0.1, windowShare: 0.5, admission: 'hit' },
  { name: 'recency', smallShare: 0.7, windowShare: 0, admission: 'hit' },
  { name: 'frequency', smallShare: 0.2, windowShare: 0, admission: 'frequency' },
];

/** This thread's choosers: one per cache, whatever the number of shards. */
const choosers = new WeakMap<PolicyShared, Chooser>();

class Adaptive implements EvictionPolicy {
  readonly #memory: PolicyMemory;
  readonly #plane: Plane;
  readonly #chooser: Chooser;

  constructor(memory: PolicyMemory, shared: PolicyShared) {
    this.#memory = memory;
    this.#plane = new Plane(memory, CONFIGURATIONS, shared.words, CHOSEN);
    const chooser = choosers.get(shared) ?? new Chooser(shared, CONFIGURATIONS);
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
  shardWords: Plane.words,
  globalWords: (totalCapacityEntries) => Chooser.words(totalCapacityEntries, CONFIGURATIONS.length),
  create: (memory, shared) => new Adaptive(memory, shared),
};
