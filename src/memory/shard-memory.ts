import { SharedCacheError } from '../errors.js';
import type { ShardGeometry } from './geometry.js';
import {
  BUCKET_MARKS_BYTE,
  BUCKET_REFS,
  BUCKET_WORDS,
  ENTRY,
  JOURNAL_CAPACITY,
  JOURNAL_WORD,
  LINK_WORDS,
  REF_SHIFT,
  SHARD,
  SLOT_SHIFT,
} from './layout.js';

/**
 * One shard's memory seen from one thread, with the undo journal every structural store goes through.
 *
 * A killed thread leaves memory as an exact prefix of its program order, so plain stores are enough: old value into the
 * journal, journal length, then the store itself. Whoever takes the lock from the dead undoes the journal backwards;
 * undoing twice gives the same result, so the thief may be killed as well.
 */
export class ShardMemory {
  readonly index: number;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly bytes: Buffer;
  readonly geometry: ShardGeometry;
  readonly slotCount: number;
  readonly capacityEntries: number;
  readonly areaWord: number;
  /** Whether the slot's entry is over (expired, invalidated) and should be the first to go; the table knows. */
  isOver: (slot: number) => boolean = () => false;

  constructor(
    buffer: SharedArrayBuffer,
    byteOffset: number,
    geometry: ShardGeometry,
    index: number,
    capacityEntries: number,
  ) {
    this.index = index;
    this.geometry = geometry;
    this.words = new Int32Array(buffer, byteOffset, geometry.words);
    this.doubles = new Float64Array(buffer, byteOffset, geometry.words >> 1);
    this.bytes = Buffer.from(buffer, byteOffset, geometry.words * 4);
    this.slotCount = geometry.slotCount;
    this.capacityEntries = capacityEntries;
    this.areaWord = geometry.policyWord;
  }

  /** Journaled store. Only while this thread holds the shard's lock. */
  set(word: number, value: number): void {
    const m = this.words;
    const n = m[SHARD.journalLength];
    // Unsigned, so that a negative length is too long as well.
    if (n >>> 0 >= JOURNAL_CAPACITY) this.#journalFull();
    const at = JOURNAL_WORD + 2 * n;
    m[at] = word;
    m[at + 1] = m[word];
    m[SHARD.journalLength] = n + 1;
    m[word] = value;
  }

  /** Journals so many words at once: until the commit they may be stored to plainly. */
  save(word: number, count: number): void {
    const m = this.words;
    const n = m[SHARD.journalLength];
    if (n >>> 0 > JOURNAL_CAPACITY - count) this.#journalFull();
    for (let i = 0, at = JOURNAL_WORD + 2 * n; i < count; i++, at += 2) {
      m[at] = word + i;
      m[at + 1] = m[word + i];
    }
    // One store makes them count: a death before it has changed nothing, one after it is undone whole.
    m[SHARD.journalLength] = n + count;
  }

  add(word: number, delta: number): void {
    this.set(word, this.words[word] + delta);
  }

  /** Makes all stores since the last commit final. */
  commit(): void {
    this.words[SHARD.journalLength] = 0;
  }

  /** Undoes all stores since the last commit; idempotent. */
  rollback(): void {
    const m = this.words;
    // A length nobody can have written is corruption: undoing garbage would spread it.
    let n = m[SHARD.journalLength];
    if (n < 0 || n > JOURNAL_CAPACITY) n = 0;
    while (n > 0) {
      n -= 1;
      const at = JOURNAL_WORD + 2 * n;
      m[m[at]] = m[at + 1];
      m[SHARD.journalLength] = n;
    }
    m[SHARD.journalLength] = 0;
  }

  /** How often entries of this hash, and some others, have changed: see `noteChange`. */
  changesOf(hash: number): number {
    return this.words[this.#changeWord(hash)];
  }

  /**
   * Before an entry is replaced, removed or changed in place: what any thread keeps near of it is out of date from here on.
   * Not journaled, since one change too many does no harm.
   */
  noteChange(hash: number): void {
    this.words[this.#changeWord(hash)]++;
  }

  entryCount(): number {
    return this.words[SHARD.entries];
  }

  refWord(slot: number): number {
    return this.geometry.bucketsWord + (slot >> SLOT_SHIFT) * BUCKET_WORDS + BUCKET_REFS + (slot & 7);
  }

  hashWord(slot: number): number {
    return this.geometry.bucketsWord + (slot >> SLOT_SHIFT) * BUCKET_WORDS + (slot & 7);
  }

  hashOf(slot: number): number {
    return this.words[this.hashWord(slot)];
  }

  markByte(slot: number): number {
    return (this.geometry.bucketsWord + (slot >> SLOT_SHIFT) * BUCKET_WORDS) * 4 + BUCKET_MARKS_BYTE + (slot & 7);
  }

  linkWord(slot: number): number {
    return this.geometry.linksWord + slot * LINK_WORDS;
  }

  policyWord(slot: number): number {
    return (this.words[this.refWord(slot)] << (REF_SHIFT - 2)) + ENTRY.policy;
  }

  #changeWord(hash: number): number {
    return this.geometry.changesWord + (hash & (this.geometry.changeCounts - 1));
  }

  #journalFull(): never {
    throw new SharedCacheError('ERR_CORRUPTED', `shard ${this.index}: more than ${JOURNAL_CAPACITY} journaled stores`);
  }
}
