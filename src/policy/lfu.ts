import { LIST_WORDS, reportUnlisted, SlotLists } from './list.js';
import { type EvictionPolicy, MAX_EVICTION_STEPS, type PolicyFactory, type PolicyMemory } from './policy.js';

/** Mark bytes count to 255, so levels are 0 to 8. */
const LEVELS = 9;
const MOST_HITS = 255;

/**
 * Least frequently used, by the magnitude of the hit count: a list per power of two, oldest first within each.
 *
 *   hit(x):     mark(x) = min(mark(x) + 1, 255)
 *   insert(x):  x joins level 0
 *   evict:      x = last of the lowest level; if log2(mark(x) + 1) is higher, x joins that level, else x goes
 *
 * Hits are never forgotten: for loads whose favourites change, another policy is the better choice.
 */
class Lfu implements EvictionPolicy {
  readonly #memory: PolicyMemory;
  readonly #lists: SlotLists;

  constructor(memory: PolicyMemory) {
    this.#memory = memory;
    this.#lists = new SlotLists(memory);
  }

  hit(slot: number): void {
    const { bytes } = this.#memory;
    const byte = this.#memory.markByte(slot);
    const mark = bytes[byte];
    if (mark < MOST_HITS) bytes[byte] = mark + 1;
  }

  insertLocked(slot: number): void {
    this.#join(slot, 0);
  }

  updateLocked(slot: number): void {
    this.hit(slot);
  }

  removeLocked(slot: number): void {
    this.#lists.remove(this.#list(this.#memory.words[this.#memory.policyWord(slot)]), slot);
  }

  victimLocked(step: number): number {
    let level = 0;
    while (level < LEVELS - 1 && this.#lists.length(this.#list(level)) === 0) level++;
    const slot = this.#lists.last(this.#list(level));
    const reached = 31 - Math.clz32(this.#memory.bytes[this.#memory.markByte(slot)] + 1);
    if (reached <= level || step === MAX_EVICTION_STEPS - 1) return slot;
    this.#lists.remove(this.#list(level), slot);
    this.#join(slot, reached);
    return -1;
  }

  resetLocked(): void {
    for (let level = 0; level < LEVELS; level++) this.#lists.reset(this.#list(level));
  }

  inspectLocked(isFilled: (slot: number) => boolean, problem: (message: string) => void): void {
    const seen = new Set<number>();
    for (let level = 0; level < LEVELS; level++) this.#lists.inspect(this.#list(level), seen, isFilled, problem);
    reportUnlisted(this.#memory, seen, problem);
  }

  #join(slot: number, level: number): void {
    this.#lists.push(this.#list(level), slot);
    this.#memory.set(this.#memory.policyWord(slot), level);
  }

  #list(level: number): number {
    return this.#memory.areaWord + (level & 15) * LIST_WORDS;
  }
}

export const lfu: PolicyFactory = {
  name: 'lfu',
  shardWords: () => 16 * LIST_WORDS,
  globalWords: () => 0,
  create: (memory) => new Lfu(memory),
};
