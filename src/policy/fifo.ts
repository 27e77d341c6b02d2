import type { EvictionPolicy, PolicyFactory, PolicyMemory } from './policy.js';

class Fifo implements EvictionPolicy {
  readonly #memory: PolicyMemory;

  constructor(memory: PolicyMemory) {
    this.#memory = memory;
  }

  hit(): void {}

  insertLocked(slot: number): void {
    const memory = this.#memory;
    const m = memory.words;
    const link = memory.linkWord(slot);
    const head = m[memory.areaWord];
    m[link] = head;
    m[link + 1] = 0;
    memory.set(head === 0 ? memory.areaWord + 1 : memory.linkWord(head - 1) + 1, slot + 1);
    memory.set(memory.areaWord, slot + 1);
  }

  updateLocked(): void {}

  removeLocked(slot: number): void {
    const memory = this.#memory;
    const m = memory.words;
    const next = m[memory.linkWord(slot)];
    const prev = m[memory.linkWord(slot) + 1];
    memory.set(prev === 0 ? memory.areaWord : memory.linkWord(prev - 1), next);
    memory.set(next === 0 ? memory.areaWord + 1 : memory.linkWord(next - 1) + 1, prev);
  }

  victimLocked(): number {
    return this.#memory.words[this.#memory.areaWord + 1] - 1;
  }

  resetLocked(): void {
    this.#memory.words[this.#memory.areaWord] = 0;
    this.#memory.words[this.#memory.areaWord + 1] = 0;
  }

  inspectLocked(isFilled: (slot: number) => boolean, problem: (message: string) => void): void {
    const memory = this.#memory;
    let listed = 0;
    for (
      let at = memory.words[memory.areaWord];
      at !== 0 && listed <= memory.slotCount;
      at = memory.words[memory.linkWord(at - 1)]
    ) {
      if (!isFilled(at - 1)) problem(`slot ${at - 1} is queued but empty`);
      listed++;
    }
    if (listed !== memory.entryCount()) problem(`${listed} entries queued, ${memory.entryCount()} held`);
  }
}

export const fifo: PolicyFactory = {
  name: 'fifo',
  shardWords: () => 16,
  globalWords: () => 0,
  create: (memory) => new Fifo(memory),
};
