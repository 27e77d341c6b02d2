import { LIST_WORDS, reportUnlisted, SlotLists } from './list.js';
import {
  type EvictionPolicy,
  MAX_EVICTION_STEPS,
  type PolicyFactory,
  type PolicyMemory,
  recencyByHits,
} from './policy.js';

/** Mark bytes count to 255, so levels are 0 to 8. */
const LEVELS = 9;
const MOST_HITS = 255;
/** Hits are halved after this many capacities of inserts. */
const HALVED_AFTER = 8;
/** An entry's policy word holds its level and the age in which it joined the level. */
const LEVEL_BITS = 4;
const LEVEL_MASK = (1 << LEVEL_BITS) - 1;
const AGE_MASK = 0xffffff;
const AGE = LIST_WORDS << LEVEL_BITS;
const INSERTS = AGE + 1;
const AREA_WORDS = AGE + 2;

/**
 * Least frequently used, by the order of magnitude of the hit count. There is one list (a level) per power of two.
 *
 *   hit(x):     mark(x) = min(mark(x) + 1, 255)
 *   insert(x):  x joins level 0
 *   evict:      x = oldest entry of the lowest level
 *               log2(mark(x) + 1) is a higher level: x joins that level; else x is evicted
 *   age:        a new age begins every eight capacities of inserts; each eviction halves the mark of one entry that joined
 *               its level before the current age, and moves it to the level of the new mark
 *
 * Halving all counts from time to time is from Robinson and Devarakonda, "Data cache management using frequency-based
 * replacement", SIGMETRICS 1990. Here it is spread over evictions.
 */
class Lfu implements EvictionPolicy {
  readonly needsEveryHit = true;
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

  recency(slot: number, _entryWord: number, written: number): number {
    return recencyByHits(this.#memory, slot, written);
  }

  insertLocked(slot: number): void {
    this.#countInsert();
    this.#join(slot, 0);
  }

  updateLocked(slot: number): void {
    this.hit(slot);
  }

  removeLocked(slot: number): void {
    this.#lists.remove(this.#list(this.#memory.words[this.#memory.policyWord(slot)]), slot);
  }

  victimLocked(step: number): number {
    if (step === 0) {
      const aged = this.#ageOne();
      if (aged >= 0 && this.#memory.isOver(aged)) return aged;
    }
    let level = 0;
    while (level < LEVELS - 1 && this.#lists.length(this.#list(level)) === 0) level++;
    const slot = this.#lists.last(this.#list(level));
    const reached = levelOf(this.#memory.bytes[this.#memory.markByte(slot)]);
    if (reached <= level || step === MAX_EVICTION_STEPS - 1 || this.#memory.isOver(slot)) return slot;
    this.#lists.remove(this.#list(level), slot);
    this.#join(slot, reached);
    return -1;
  }

  resetLocked(): void {
    const { words, areaWord } = this.#memory;
    words.fill(0, areaWord, areaWord + AREA_WORDS);
  }

  inspectLocked(isFilled: (slot: number) => boolean, problem: (message: string) => void): void {
    const seen = new Set<number>();
    for (let level = 0; level < LEVELS; level++) this.#lists.inspect(this.#list(level), seen, isFilled, problem);
    reportUnlisted(this.#memory, seen, problem);
  }

  /** Ages are advice: plain stores. */
  #countInsert(): void {
    const { words: m, areaWord } = this.#memory;
    if (++m[areaWord + INSERTS] < this.#memory.entryCount() * HALVED_AFTER) return;
    m[areaWord + INSERTS] = 0;
    m[areaWord + AGE] = (m[areaWord + AGE] + 1) & AGE_MASK;
  }

  /** Halves the hits of one entry not yet aged in this age and returns its slot, or -1. The oldest of a level is due first. */
  #ageOne(): number {
    const { bytes, words: m, areaWord } = this.#memory;
    for (let level = LEVELS - 1; level > 0; level--) {
      const slot = this.#lists.last(this.#list(level));
      if (slot < 0 || m[this.#memory.policyWord(slot)] >>> LEVEL_BITS === m[areaWord + AGE]) continue;
      const byte = this.#memory.markByte(slot);
      bytes[byte] >>>= 1;
      this.#lists.remove(this.#list(level), slot);
      this.#join(slot, levelOf(bytes[byte]));
      return slot;
    }
    return -1;
  }

  #join(slot: number, level: number): void {
    const { words: m, areaWord } = this.#memory;
    this.#lists.push(this.#list(level), slot);
    this.#memory.set(this.#memory.policyWord(slot), (m[areaWord + AGE] << LEVEL_BITS) | level);
  }

  #list(level: number): number {
    return this.#memory.areaWord + (level & LEVEL_MASK) * LIST_WORDS;
  }
}

/** The order of magnitude of a hit count. */
function levelOf(hits: number): number {
  return 31 - Math.clz32(hits + 1);
}

export const lfu: PolicyFactory = {
  name: 'lfu',
  shardWords: () => AREA_WORDS,
  globalWords: () => 0,
  create: (memory) => new Lfu(memory),
};
