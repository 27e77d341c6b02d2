import type { EvictionPolicy, PolicyMemory } from './policy.js';

/** The area is one word: a clock that counts uses. */
export const EXACT_LRU_WORDS = 1;
/** A slot's two link words: when it was last used, and 1 while it holds an entry. */
const USED_AT = 0;
const HELD = 1;

/**
 * Exact LRU for small shards. Every use gets a number, and the entry with the smallest number is evicted.
 *
 *   hit(x):  used(x) = clock = clock + 1, unless x was used last anyway
 *   evict:   an x that is over, else the x with the smallest used(x); found by looking at all slots
 *
 * Numbers are compared by their distance from the clock, so the clock may wrap around. Only an entry that was not used during
 * 2^32 uses of others would look recent. Hits that race get their numbers in either order.
 */
export class ExactLru implements EvictionPolicy {
  readonly needsEveryHit = true;
  readonly #memory: PolicyMemory;

  constructor(memory: PolicyMemory) {
    this.#memory = memory;
  }

  hit(slot: number): void {
    const { words: m, areaWord } = this.#memory;
    if (m[this.#memory.linkWord(slot) + USED_AT] !== m[areaWord]) this.#use(slot);
  }

  recency(slot: number): number {
    const { words: m, areaWord } = this.#memory;
    const uses = m[areaWord] >>> 0;
    return uses === 0 ? 0 : Math.min(1, (m[this.#memory.linkWord(slot) + USED_AT] >>> 0) / uses);
  }

  insertLocked(slot: number): void {
    this.#memory.set(this.#memory.linkWord(slot) + HELD, 1);
    this.#use(slot);
  }

  updateLocked(slot: number): void {
    this.hit(slot);
  }

  removeLocked(slot: number): void {
    this.#memory.set(this.#memory.linkWord(slot) + HELD, 0);
  }

  victimLocked(): number {
    const { words: m, areaWord, slotCount } = this.#memory;
    let victim = -1;
    let longest = -1;
    for (let slot = 0; slot < slotCount; slot++) {
      const word = this.#memory.linkWord(slot);
      if (m[word + HELD] !== 1) continue;
      if (this.#memory.isOver(slot)) return slot;
      const unusedFor = (m[areaWord] - m[word + USED_AT]) >>> 0;
      if (unusedFor <= longest) continue;
      longest = unusedFor;
      victim = slot;
    }
    return victim;
  }

  resetLocked(): void {
    const { words: m, areaWord, slotCount } = this.#memory;
    for (let slot = 0; slot < slotCount; slot++) m[this.#memory.linkWord(slot) + HELD] = 0;
    m[areaWord] = 0;
  }

  inspectLocked(isFilled: (slot: number) => boolean, problem: (message: string) => void): void {
    const { words: m, slotCount } = this.#memory;
    let held = 0;
    for (let slot = 0; slot < slotCount; slot++) {
      if (m[this.#memory.linkWord(slot) + HELD] !== 1) continue;
      held++;
      if (!isFilled(slot)) problem(`slot ${slot} is held but empty`);
    }
    if (held !== this.#memory.entryCount()) problem(`${held} entries held, ${this.#memory.entryCount()} counted`);
  }

  /** Atomic, so that a preempted reader does not set the clock back. */
  #use(slot: number): void {
    const { words: m, areaWord } = this.#memory;
    m[this.#memory.linkWord(slot) + USED_AT] = (Atomics.add(m, areaWord, 1) + 1) | 0;
  }
}
