import type { PolicyMemory } from './policy.js';

/** Words of a list's head: first slot + 1, last slot + 1, length. Zero is an empty list. */
export const LIST_WORDS = 3;
const FIRST = 0;
const LAST = 1;
const LENGTH = 2;

/** Doubly linked lists of slots, through the slots' link words. All stores are journaled, so a death rolls them back. */
export class SlotLists {
  readonly #memory: PolicyMemory;

  constructor(memory: PolicyMemory) {
    this.#memory = memory;
  }

  length(list: number): number {
    return this.#memory.words[list + LENGTH];
  }

  /** The oldest slot, -1 when the list is empty. */
  last(list: number): number {
    return this.#memory.words[list + LAST] - 1;
  }

  /** The newest slot, -1 when the list is empty. */
  first(list: number): number {
    return this.#memory.words[list + FIRST] - 1;
  }

  /** Adds the slot as the newest. */
  push(list: number, slot: number): void {
    const memory = this.#memory;
    const m = memory.words;
    const link = memory.linkWord(slot);
    const first = m[list + FIRST];
    memory.set(link, first);
    memory.set(link + 1, 0);
    memory.set(first === 0 ? list + LAST : memory.linkWord(first - 1) + 1, slot + 1);
    memory.set(list + FIRST, slot + 1);
    memory.set(list + LENGTH, m[list + LENGTH] + 1);
  }

  remove(list: number, slot: number): void {
    const memory = this.#memory;
    const m = memory.words;
    const link = memory.linkWord(slot);
    const next = m[link];
    const prev = m[link + 1];
    memory.set(prev === 0 ? list + FIRST : memory.linkWord(prev - 1), next);
    memory.set(next === 0 ? list + LAST : memory.linkWord(next - 1) + 1, prev);
    memory.set(list + LENGTH, m[list + LENGTH] - 1);
  }

  /** Empties the list without touching its members, for a clear. */
  reset(list: number): void {
    this.#memory.words.fill(0, list, list + LIST_WORDS);
  }

  /** Adds the list's members to `seen` and reports what is broken. */
  inspect(
    list: number,
    seen: Set<number>,
    isFilled: (slot: number) => boolean,
    problem: (message: string) => void,
  ): void {
    const memory = this.#memory;
    const m = memory.words;
    let prev = 0;
    let count = 0;
    for (let at = m[list + FIRST]; at !== 0 && count <= memory.slotCount; at = m[memory.linkWord(at - 1)]) {
      if (!isFilled(at - 1)) problem(`slot ${at - 1} is listed but empty`);
      if (seen.has(at - 1)) problem(`slot ${at - 1} is listed twice`);
      if (m[memory.linkWord(at - 1) + 1] !== prev) problem(`slot ${at - 1} has a wrong link back`);
      seen.add(at - 1);
      prev = at;
      count++;
    }
    if (m[list + LAST] !== prev) problem(`a list ends at ${prev}, its head says ${m[list + LAST]}`);
    if (m[list + LENGTH] !== count) problem(`a list has ${count} members, its head says ${m[list + LENGTH]}`);
  }
}

/** Ends a policy's inspection: each entry must be in a list. */
export function reportUnlisted(memory: PolicyMemory, seen: Set<number>, problem: (message: string) => void): void {
  if (seen.size !== memory.entryCount()) problem(`${seen.size} entries listed, ${memory.entryCount()} held`);
}
