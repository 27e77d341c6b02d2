import { LIST_WORDS, reportUnlisted, SlotLists } from './list.js';
import type { EvictionPolicy, PolicyFactory, PolicyMemory } from './policy.js';

/** First in, first out: the oldest entry is evicted, and hits write nothing. */
class Fifo implements EvictionPolicy {
  readonly needsEveryHit = false;
  readonly #memory: PolicyMemory;
  readonly #lists: SlotLists;

  constructor(memory: PolicyMemory) {
    this.#memory = memory;
    this.#lists = new SlotLists(memory);
  }

  hit(): void {}

  recency(_slot: number, _entryWord: number, written: number): number {
    return written;
  }

  insertLocked(slot: number): void {
    this.#lists.push(this.#memory.areaWord, slot);
  }

  updateLocked(): void {}

  removeLocked(slot: number): void {
    this.#lists.remove(this.#memory.areaWord, slot);
  }

  victimLocked(): number {
    return this.#lists.last(this.#memory.areaWord);
  }

  resetLocked(): void {
    this.#lists.reset(this.#memory.areaWord);
  }

  inspectLocked(isFilled: (slot: number) => boolean, problem: (message: string) => void): void {
    const seen = new Set<number>();
    this.#lists.inspect(this.#memory.areaWord, seen, isFilled, problem);
    reportUnlisted(this.#memory, seen, problem);
  }
}

export const fifo: PolicyFactory = {
  name: 'fifo',
  shardWords: () => LIST_WORDS,
  globalWords: () => 0,
  create: (memory) => new Fifo(memory),
};
