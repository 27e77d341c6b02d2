import { EXACT_LRU_WORDS, ExactLru } from './exact-lru.js';
import { LIST_WORDS, reportUnlisted, SlotLists } from './list.js';
import { type EvictionPolicy, MAX_EVICTION_STEPS, type PolicyFactory, type PolicyMemory } from './policy.js';

/** Shards of no more entries have an exact LRU, whose evictions look at all slots. */
const EXACT_ENTRIES = 64;
/** Number of lists, a power of two. */
const GENERATIONS = 64;
/** Epochs in which a full shard's entries are inserted. Order is kept to one epoch: about 4 % of the capacity. */
const EPOCHS_PER_CAPACITY = 24;
const EPOCH = 0;
const INSERTS = 1;
const OLDEST = 2;
/** 1 after the first eviction: from then on the number of entries is the real capacity. */
const FULL = 3;
const LISTS = 4;

/**
 * Least recently used, exact to a 24th of the capacity. A hit writes one byte.
 *
 *   hit(x):     mark(x) = the current epoch
 *   insert(x):  x joins the list of the current epoch; a new epoch begins every capacity / 24 inserts
 *   evict:      x = newest entry of the oldest list
 *               mark(x) is a later epoch: x joins the list of that epoch; else x is evicted
 *
 * The order within an epoch is free. Evicting the newest first has two uses: a loop slightly longer than the shard still hits
 * most of an epoch, instead of losing each entry just before its turn; and of a cached prefix the tail goes before the head.
 *
 * One list per epoch of last use, as in Linux's multi-generational LRU, with CLOCK's lazy promotion (Corbato, 1968).
 */
class Lru implements EvictionPolicy {
  readonly needsEveryHit = false;
  readonly #memory: PolicyMemory;
  readonly #lists: SlotLists;
  readonly #epochInserts: number;

  constructor(memory: PolicyMemory) {
    this.#memory = memory;
    this.#lists = new SlotLists(memory);
    this.#epochInserts = Math.max(1, Math.floor(memory.capacityEntries / EPOCHS_PER_CAPACITY));
  }

  hit(slot: number): void {
    const memory = this.#memory;
    const byte = memory.markByte(slot);
    const mark = (memory.words[memory.areaWord + EPOCH] & 0x7f) | 0x80;
    if (memory.bytes[byte] !== mark) memory.bytes[byte] = mark;
  }

  /** By epoch, and by the last write within one. */
  recency(slot: number, entryWord: number, written: number): number {
    const { words: m, bytes, areaWord } = this.#memory;
    const now = m[areaWord + EPOCH];
    const mark = bytes[this.#memory.markByte(slot)];
    const joined = (now - m[entryWord]) & 0x7f;
    const age = mark === 0 ? joined : Math.min(joined, (now - mark) & 0x7f);
    return 1 - (age + 1 - written) / 128;
  }

  insertLocked(slot: number): void {
    const memory = this.#memory;
    const m = memory.words;
    const area = memory.areaWord;
    if (m[area + INSERTS] + 1 >= this.#epochSize()) this.#advance();
    else memory.set(area + INSERTS, m[area + INSERTS] + 1);
    this.#join(slot, m[area + EPOCH]);
  }

  updateLocked(slot: number): void {
    this.hit(slot);
  }

  removeLocked(slot: number): void {
    this.#lists.remove(this.#listOf(slot), slot);
  }

  victimLocked(step: number): number {
    const memory = this.#memory;
    const m = memory.words;
    const area = memory.areaWord;
    if (m[area + FULL] === 0) memory.set(area + FULL, 1);
    let epoch = m[area + OLDEST];
    for (let i = 0; i < GENERATIONS && this.#lists.length(this.#list(epoch)) === 0; i++) epoch = (epoch + 1) & 0x7f;
    if (epoch !== m[area + OLDEST]) memory.set(area + OLDEST, epoch);
    const list = this.#list(epoch);
    // In the current epoch the newest entry has only just been inserted.
    const slot = epoch === m[area + EPOCH] ? this.#lists.last(list) : this.#lists.first(list);
    const mark = memory.bytes[memory.markByte(slot)];
    if (mark === 0 || step === MAX_EVICTION_STEPS - 1 || memory.isOver(slot)) return slot;
    const age = (m[area + EPOCH] - (mark & 0x7f)) & 0x7f;
    if (age >= ((m[area + EPOCH] - epoch) & 0x7f)) return slot;
    this.#lists.remove(list, slot);
    this.#join(slot, mark & 0x7f);
    return -1;
  }

  resetLocked(): void {
    const { words, areaWord } = this.#memory;
    words.fill(0, areaWord, areaWord + AREA_WORDS);
  }

  inspectLocked(isFilled: (slot: number) => boolean, problem: (message: string) => void): void {
    const seen = new Set<number>();
    for (let epoch = 0; epoch < GENERATIONS; epoch++) this.#lists.inspect(this.#list(epoch), seen, isFilled, problem);
    reportUnlisted(this.#memory, seen, problem);
  }

  /** Inserts of an epoch. A shard that is full by bytes may hold far fewer entries than its capacity. */
  #epochSize(): number {
    const memory = this.#memory;
    if (memory.words[memory.areaWord + FULL] === 0) return this.#epochInserts;
    return Math.max(1, Math.floor(memory.entryCount() / EPOCHS_PER_CAPACITY));
  }

  /** Begins an epoch. If the oldest entries are still in the list it would use, the current epoch goes on: order gets coarser. */
  #advance(): void {
    const memory = this.#memory;
    const area = memory.areaWord;
    const next = (memory.words[area + EPOCH] + 1) & 0x7f;
    memory.set(area + INSERTS, 0);
    if (((next - memory.words[area + OLDEST]) & 0x7f) < GENERATIONS) memory.set(area + EPOCH, next);
  }

  #join(slot: number, epoch: number): void {
    const list = this.#list(epoch);
    this.#lists.push(list, slot);
    this.#memory.set(this.#memory.policyWord(slot), epoch);
  }

  #list(epoch: number): number {
    return this.#memory.areaWord + LISTS + (epoch & (GENERATIONS - 1)) * LIST_WORDS;
  }

  #listOf(slot: number): number {
    return this.#list(this.#memory.words[this.#memory.policyWord(slot)]);
  }
}

const AREA_WORDS = LISTS + GENERATIONS * LIST_WORDS;

export const lru: PolicyFactory = {
  name: 'lru',
  // The capacities of a cache's shards differ by one, so a cache may have shards of both kinds.
  shardWords: () => Math.max(AREA_WORDS, EXACT_LRU_WORDS),
  globalWords: () => 0,
  create: (memory) => (memory.capacityEntries <= EXACT_ENTRIES ? new ExactLru(memory) : new Lru(memory)),
};
