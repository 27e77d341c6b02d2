import { Ghost } from './ghost.js';
import { LIST_WORDS, reportUnlisted, SlotLists } from './list.js';
import {
  type EvictionPolicy,
  MAX_EVICTION_STEPS,
  type PolicyFactory,
  type PolicyMemory,
  recencyByHits,
} from './policy.js';

const SMALL_SHARE = 0.1;
const MOST_HITS = 3;
/** Hits that promote an entry from the small queue to the main one. */
const PROMOTE_AT = 2;
const IN_SMALL = 0;
const IN_MAIN = 1;
const GHOST_WORD = 2 * LIST_WORDS;

/**
 * S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023).
 *
 *   hit(x):     mark(x) = min(mark(x) + 1, 3)
 *   insert(x):  into main if the ghost knows x, else into small
 *   evict:      small holds a tenth or more, or main is empty:
 *                 x = oldest of small; mark(x) >= 2: x joins main with mark 0; else the ghost remembers x, x is evicted
 *               otherwise:
 *                 x = oldest of main;  mark(x) >= 1: x joins main again with mark - 1; else x is evicted
 */
class S3Fifo implements EvictionPolicy {
  readonly needsEveryHit = false;
  readonly #memory: PolicyMemory;
  readonly #lists: SlotLists;
  readonly #ghost: Ghost;
  readonly #small: number;
  readonly #main: number;
  #fromSmall = false;

  constructor(memory: PolicyMemory) {
    this.#memory = memory;
    this.#lists = new SlotLists(memory);
    this.#small = memory.areaWord;
    this.#main = memory.areaWord + LIST_WORDS;
    this.#ghost = new Ghost(memory, memory.areaWord + GHOST_WORD);
  }

  hit(slot: number): void {
    const { bytes } = this.#memory;
    const byte = this.#memory.markByte(slot);
    const mark = bytes[byte];
    if (mark < MOST_HITS) bytes[byte] = mark + 1;
  }

  recency(slot: number, _entryWord: number, written: number): number {
    return recencyByHits(this.#memory, slot, written);
  }

  insertLocked(slot: number, hash: number): void {
    const window = this.#memory.entryCount() * (1 - SMALL_SHARE);
    this.#join(slot, this.#ghost.take(hash, window) ? IN_MAIN : IN_SMALL);
  }

  updateLocked(slot: number): void {
    this.hit(slot);
  }

  removeLocked(slot: number, evicted: boolean): void {
    const queue = this.#queueOf(slot);
    this.#lists.remove(this.#listOf(queue), slot);
    if (evicted && queue === IN_SMALL) this.#ghost.add(this.#memory.hashOf(slot));
  }

  victimLocked(step: number): number {
    const { bytes } = this.#memory;
    const lists = this.#lists;
    const small = lists.length(this.#small);
    // An eviction that began in small stays there, however many entries it promotes.
    if (step === 0) this.#fromSmall = small >= this.#memory.entryCount() * SMALL_SHARE;
    const fromSmall = lists.length(this.#main) === 0 || (small > 0 && this.#fromSmall);
    const slot = lists.last(fromSmall ? this.#small : this.#main);
    const byte = this.#memory.markByte(slot);
    const mark = bytes[byte];
    if (mark < (fromSmall ? PROMOTE_AT : 1) || step === MAX_EVICTION_STEPS - 1) return slot;
    if (this.#memory.isOver(slot)) return slot;
    lists.remove(fromSmall ? this.#small : this.#main, slot);
    bytes[byte] = fromSmall ? 0 : mark - 1;
    this.#join(slot, IN_MAIN);
    return -1;
  }

  resetLocked(): void {
    this.#lists.reset(this.#small);
    this.#lists.reset(this.#main);
    this.#ghost.reset();
  }

  inspectLocked(isFilled: (slot: number) => boolean, problem: (message: string) => void): void {
    const seen = new Set<number>();
    this.#lists.inspect(this.#small, seen, isFilled, problem);
    this.#lists.inspect(this.#main, seen, isFilled, problem);
    reportUnlisted(this.#memory, seen, problem);
  }

  #join(slot: number, queue: number): void {
    this.#lists.push(this.#listOf(queue), slot);
    this.#memory.set(this.#memory.policyWord(slot), queue);
  }

  #queueOf(slot: number): number {
    return this.#memory.words[this.#memory.policyWord(slot)] === IN_MAIN ? IN_MAIN : IN_SMALL;
  }

  #listOf(queue: number): number {
    return queue === IN_MAIN ? this.#main : this.#small;
  }
}

export const s3Fifo: PolicyFactory = {
  name: 's3-fifo',
  shardWords: (capacityEntries) => GHOST_WORD + Ghost.words(capacityEntries),
  globalWords: () => 0,
  create: (memory) => new S3Fifo(memory),
};
