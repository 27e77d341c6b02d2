import { Ghost } from './ghost.js';
import { LIST_WORDS, reportUnlisted, SlotLists } from './list.js';
import { type EvictionPolicy, MAX_EVICTION_STEPS, type PolicyMemory, recencyByHits } from './policy.js';
import { Sketch } from './sketch.js';

/** How the two queues are run. It can be changed at any time. */
export interface Configuration {
  readonly name: string;
  /** Share of the entries that `small` should hold. */
  readonly smallShare: number;
  /** The correlation window: hits in this newest share of small do not count, since they belong to the request that brought
   *  the entry. */
  readonly windowShare: number;
  /** What promotes the oldest entry of small to main: a hit, or a higher frequency than that of main's victim. */
  readonly admission: 'hit' | 'frequency';
}

const MOST_HITS = 3;
/** Keys that the ghost remembers of those evicted from small, as a share of the entries. */
const GHOST_SHARE = 0.9;
/** An entry of main that was not hit is stale after this many capacities of new keys. */
const STALE_AFTER = 4;
/** A victim of main that has this frequency or more is kept unless the candidate leads by two. */
const SETTLED = 4;
const IN_SMALL = 0;
const IN_MAIN = 1;
const SMALL = 0;
const MAIN = LIST_WORDS;
/** Count of the entries that ever joined small. An entry's age is a difference of this count. */
const JOINED = 2 * LIST_WORDS;
/** Whether hits (1) or frequency (2) admit to main, and the count of `JOINED` when that changed. */
const ADMISSION = JOINED + 1;
const CHANGED = JOINED + 2;
const HEAD_WORDS = JOINED + 3;
const AGE_MASK = 0x7fffffff;

/**
 * A two-queue policy that can be run in several configurations: a FIFO queue `small`, a CLOCK queue `main`, a ghost of the keys
 * evicted from small, and a frequency sketch. The sketch counts misses, and counts hits late: when the entry reaches the old
 * end of a queue.
 *
 *   hit(x):     mark(x) = min(mark(x) + 1, 3), unless x is in small's correlation window
 *   insert(x):  into main if hits admit and the ghost knows x, else into small
 *   evict:      small holds less than its share, or main's oldest entry is stale: from main (CLOCK)
 *               hits admit:       x = oldest of small; marked: x joins main; else the ghost remembers x, x is evicted
 *               frequency admits: x = oldest of small, v = main's victim; the one that was used less often is evicted, and x
 *                                 joins main if it stays
 *
 * With hit admission this is the S3-FIFO and Clock2Q+ family, with frequency admission W-TinyLFU over a FIFO window and CLOCK.
 */
export class TwoQueue implements EvictionPolicy {
  readonly needsEveryHit = false;
  readonly #memory: PolicyMemory;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #lists: SlotLists;
  readonly #ghost: Ghost | undefined;
  readonly #sketch: Sketch | undefined;
  readonly #configurations: readonly Configuration[];
  readonly #selection: Int32Array;
  readonly #selectionWord: number;

  /** `selection[selectionWord]` is the number of the configuration in force. */
  constructor(
    memory: PolicyMemory,
    configurations: readonly Configuration[],
    selection: Int32Array,
    selectionWord: number,
  ) {
    this.#memory = memory;
    this.#words = memory.words;
    this.#bytes = memory.bytes;
    this.#lists = new SlotLists(memory);
    const ghostWord = memory.areaWord + HEAD_WORDS;
    this.#ghost = admitsBy('hit', configurations) ? new Ghost(memory, ghostWord) : undefined;
    const sketchWord = ghostWord + ghostWords(memory.capacityEntries, configurations);
    this.#sketch = admitsBy('frequency', configurations) ? new Sketch(memory, sketchWord) : undefined;
    this.#configurations = configurations;
    this.#selection = selection;
    this.#selectionWord = selectionWord;
  }

  /** Words of the area. There is a ghost only if a configuration admits by hits, a sketch only if one admits by frequency. */
  static words(capacityEntries: number, configurations: readonly Configuration[]): number {
    const sketchWords = admitsBy('frequency', configurations) ? Sketch.words(capacityEntries) : 0;
    return HEAD_WORDS + ghostWords(capacityEntries, configurations) + sketchWords;
  }

  hit(slot: number, _hash: number, entryWord: number): void {
    const memory = this.#memory;
    const byte = memory.markByte(slot);
    const mark = this.#bytes[byte];
    if (mark >= MOST_HITS) return;
    const m = this.#words;
    const state = m[entryWord];
    if ((state & 1) === IN_SMALL) {
      const { windowShare } = this.#configuration();
      const age = (m[memory.areaWord + JOINED] - (state >>> 1)) & AGE_MASK;
      if (age < this.#lists.length(memory.areaWord + SMALL) * windowShare) return;
    }
    this.#bytes[byte] = mark + 1;
  }

  recency(slot: number, _entryWord: number, written: number): number {
    return recencyByHits(this.#memory, slot, written);
  }

  insertLocked(slot: number, hash: number): void {
    const { smallShare, admission } = this.#configuration();
    const count = this.#memory.entryCount();
    this.#sketch?.add(hash);
    const known = this.#ghost?.take(hash, count * GHOST_SHARE) ?? false;
    this.#join(slot, known && admission === 'hit' ? IN_MAIN : IN_SMALL);
    // While the cache fills, and after a change of configuration, small shrinks to its share step by step.
    const small = this.#memory.areaWord + SMALL;
    if (admission === 'frequency' && this.#lists.length(small) > count * smallShare + 1)
      this.#promote(this.#lists.last(small));
  }

  updateLocked(slot: number, hash: number): void {
    this.hit(slot, hash, this.#memory.policyWord(slot));
  }

  removeLocked(slot: number, evicted: boolean): void {
    const queue = this.#memory.words[this.#memory.policyWord(slot)] & 1;
    this.#lists.remove(this.#list(queue), slot);
    if (evicted && queue === IN_SMALL) this.#ghost?.add(this.#memory.hashOf(slot));
  }

  victimLocked(step: number): number {
    const { smallShare, admission } = this.#configuration();
    if (step === 0) this.#noteAdmission(admission);
    const memory = this.#memory;
    const lists = this.#lists;
    const small = lists.length(memory.areaWord + SMALL);
    const last = step === MAX_EVICTION_STEPS - 1;
    const victim = lists.last(memory.areaWord + MAIN);
    const stale = admission === 'hit' && victim >= 0 && this.#isStale(victim);
    const fromSmall = victim < 0 || (!stale && small > 0 && small >= memory.entryCount() * smallShare);
    const candidate = fromSmall ? lists.last(memory.areaWord + SMALL) : -1;
    if (candidate >= 0 && memory.isOver(candidate)) return candidate;
    if (victim >= 0 && memory.isOver(victim)) return victim;
    if (fromSmall && admission === 'hit') {
      if (last || !this.#takeMarks(candidate, MOST_HITS)) return candidate;
      this.#promote(candidate);
      return -1;
    }
    if (victim < 0) return candidate;
    if (!last && this.#takeMarks(victim, 1)) {
      lists.remove(memory.areaWord + MAIN, victim);
      this.#join(victim, IN_MAIN);
      return -1;
    }
    if (!fromSmall) return victim;
    this.#takeMarks(candidate, MOST_HITS);
    // In a loop all keys are equally frequent, but those already used in this round are one ahead of the others. Without the
    // margin entries would be evicted just before their turn.
    const kept = this.#frequency(victim);
    if (this.#frequency(candidate) <= (kept < SETTLED ? kept : kept + 1)) return candidate;
    this.#promote(candidate);
    return victim;
  }

  resetLocked(): void {
    const { words, areaWord, capacityEntries } = this.#memory;
    words.fill(0, areaWord, areaWord + TwoQueue.words(capacityEntries, this.#configurations));
  }

  inspectLocked(isFilled: (slot: number) => boolean, problem: (message: string) => void): void {
    const seen = new Set<number>();
    this.#lists.inspect(this.#memory.areaWord + SMALL, seen, isFilled, problem);
    this.#lists.inspect(this.#memory.areaWord + MAIN, seen, isFilled, problem);
    reportUnlisted(this.#memory, seen, problem);
  }

  /**
   * Whether an entry of main must be hit to stay, though main holds no more than its share. It is if frequency admitted it and
   * hits admit now, or if it was not hit for long. Otherwise evictions would go on in small for ever, and what main held before
   * the load changed would never leave.
   */
  #isStale(slot: number): boolean {
    const memory = this.#memory;
    const m = memory.words;
    const joined = m[memory.areaWord + JOINED];
    const age = (joined - (m[memory.policyWord(slot)] >>> 1)) & AGE_MASK;
    const sinceChange = (joined - m[memory.areaWord + CHANGED]) & AGE_MASK;
    return age > Math.min(sinceChange, memory.entryCount() * STALE_AFTER);
  }

  #noteAdmission(admission: Configuration['admission']): void {
    const { words: m, areaWord } = this.#memory;
    const code = admission === 'hit' ? 1 : 2;
    if (m[areaWord + ADMISSION] === code) return;
    m[areaWord + ADMISSION] = code;
    m[areaWord + CHANGED] = m[areaWord + JOINED];
  }

  /** Moves up to `most` hits from the entry's mark to the sketch. Whether there were any. */
  #takeMarks(slot: number, most: number): boolean {
    const { bytes } = this.#memory;
    const byte = this.#memory.markByte(slot);
    const hits = Math.min(bytes[byte], MOST_HITS);
    if (hits === 0) return false;
    const taken = Math.min(hits, most);
    bytes[byte] = hits - taken;
    const hash = this.#memory.hashOf(slot);
    for (let i = 0; i < taken; i++) this.#sketch?.add(hash);
    return true;
  }

  #frequency(slot: number): number {
    return this.#sketch?.frequency(this.#memory.hashOf(slot)) ?? 0;
  }

  #promote(slot: number): void {
    this.#lists.remove(this.#memory.areaWord + SMALL, slot);
    this.#join(slot, IN_MAIN);
  }

  #join(slot: number, queue: number): void {
    const memory = this.#memory;
    const joined = (memory.words[memory.areaWord + JOINED] + (queue === IN_SMALL ? 1 : 0)) & AGE_MASK;
    memory.words[memory.areaWord + JOINED] = joined;
    this.#lists.push(this.#list(queue), slot);
    memory.set(memory.policyWord(slot), (joined << 1) | queue);
  }

  #list(queue: number): number {
    return this.#memory.areaWord + (queue === IN_MAIN ? MAIN : SMALL);
  }

  #configuration(): Configuration {
    return this.#configurations[(this.#selection[this.#selectionWord] >>> 0) % this.#configurations.length];
  }
}

function admitsBy(admission: Configuration['admission'], configurations: readonly Configuration[]): boolean {
  return configurations.some((configuration) => configuration.admission === admission);
}

function ghostWords(capacityEntries: number, configurations: readonly Configuration[]): number {
  return admitsBy('hit', configurations) ? Ghost.words(capacityEntries) : 0;
}
