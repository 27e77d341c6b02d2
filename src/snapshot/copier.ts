import { ENTRY, SHARD } from '../memory/layout.js';
import { readFence } from '../sync/seqlock.js';
import { expiryAt, isChained, isExtended, keyBytesOf, kindOf, paddedToWord, wordOf } from '../table/entry.js';
import type { LayOrder } from '../table/lay-order.js';
import type { Shard } from '../table/shard.js';
import { Blocks } from './blocks.js';
import { HEAD_BYTES, plainHead } from './entry-format.js';
import { isLarge } from './format.js';
import type { Recency } from './recency.js';

/** Up to so many words a plain loop beats the call of a builtin copy. */
const LOOP_WORDS = 96;
/** Entries that are copied between two looks at the version: each look is a call of some 25 ns. */
const BATCH = 32;
/** Words of a cache line. */
const LINE_WORDS = 16;

/** Why the copier stopped, where it is not for a block that is full. */
export const AT_ANOTHER_KIND = -1;

/**
 * Copies entries from the shared memory straight into blocks: those that lie in one piece and have no extras, most often all
 * of them. Their bytes in a dump are those in memory, so nothing is decoded. It goes in batches: what is copied counts once
 * the version was seen unchanged, as for any reader, and else is taken back.
 */
export class Copier {
  /** The generation whose block has no room for the entry it stopped at, or AT_ANOTHER_KIND for who reads that entry otherwise. */
  stoppedFor: number = AT_ANOTHER_KIND;
  /** Entries copied so far, and their bytes. */
  entries = 0;
  bytes = 0;
  /** The time by which entries are over. */
  now = 0;
  readonly #toDate: number;
  readonly #recency: Recency;
  readonly #blocks: Blocks;
  /** Of the batch: how many entries were copied, and of each its generation and where the block ended before it. */
  #copied = 0;
  #copiedBytes = 0;
  readonly #generations = new Uint8Array(BATCH);
  readonly #starts = new Int32Array(BATCH);
  #seen = 0;

  constructor(toDate: number, recency: Recency, blocks: Blocks) {
    this.#toDate = toDate;
    this.#recency = recency;
    this.#blocks = blocks;
  }

  /** Copies the entries from `from` on: the first one that it did not come to, or `end`. */
  copy(shard: Shard, order: LayOrder, from: number, end: number): number {
    const m = shard.words;
    for (let at = from; at < end; ) {
      const batchEnd = Math.min(end, at + BATCH);
      this.#touch(m, order.refs, at, batchEnd);
      this.stoppedFor = AT_ANOTHER_KIND;
      this.#copied = 0;
      this.#copiedBytes = 0;
      const version = Atomics.load(m, SHARD.lock);
      if (version < 0) return at;
      const next = this.#copyBatch(shard, order, at, batchEnd);
      readFence();
      if (Atomics.load(m, SHARD.lock) !== version) {
        this.#takeBack();
        return at;
      }
      this.#count();
      if (next < batchEnd) return next;
      at = next;
    }
    return end;
  }

  /**
   * Looks at the first lines of every entry, so that the processor waits for them at the same time. What it saw is kept so
   * that no compiler leaves it out.
   */
  #touch(m: Int32Array, refs: Int32Array, from: number, end: number): void {
    let seen = 0;
    for (let at = from; at < end; at++) {
      const word = wordOf(refs[at]);
      seen ^= m[word] ^ m[word + LINE_WORDS];
    }
    this.#seen ^= seen;
  }

  #copyBatch(shard: Shard, order: LayOrder, from: number, end: number): number {
    const { words: m, memory } = shard;
    const { slots, refs } = order;
    const { bytes, words: out, ends } = this.#blocks;
    const recency = this.#recency;
    for (let at = from; at < end; at++) {
      const slot = slots[at];
      const ref = refs[at];
      const word = wordOf(ref);
      if (m[memory.refWord(slot)] !== ref) return at;
      const meta = m[word + ENTRY.meta];
      const valueBytes = m[word + ENTRY.valueBytes];
      const keyBytes = keyBytesOf(meta);
      const lengthBytes = HEAD_BYTES + keyBytes + valueBytes;
      if (isChained(meta) || isExtended(meta) || valueBytes < 0 || isLarge(lengthBytes)) return at;
      const keyWords = paddedToWord(keyBytes) >> 2;
      const valueWord = word + ENTRY.headWords + keyWords;
      const valueWords = paddedToWord(valueBytes) >> 2;
      if (valueWord + valueWords > m.length) return at;
      const expiresAt = expiryAt(m, word);
      if (expiresAt <= this.now) continue;
      const generation = recency.generationOf(shard, slot, ref);
      const start = ends[generation];
      if (start + lengthBytes > Blocks.limitOf(generation)) {
        this.stoppedFor = generation;
        return at;
      }
      const head = plainHead(keyBytes, valueBytes, expiresAt + this.#toDate, kindOf(meta));
      copyWords(head, 0, HEAD_BYTES >> 2, out, start);
      // Whole words: what is behind the key's last byte is written over by the value, and what is behind that by the next entry.
      const keyAt = start + HEAD_BYTES;
      copyWords(m, word + ENTRY.headWords, keyWords, out, keyAt);
      if (valueWords <= LOOP_WORDS) copyWords(m, valueWord, valueWords, out, keyAt + keyBytes);
      else bytes.set(shard.bytes.subarray(valueWord << 2, (valueWord << 2) + valueBytes), keyAt + keyBytes);
      ends[generation] = start + lengthBytes;
      this.#generations[this.#copied] = generation;
      this.#starts[this.#copied++] = start;
      this.#copiedBytes += lengthBytes;
    }
    return end;
  }

  #takeBack(): void {
    for (let i = this.#copied - 1; i >= 0; i--) this.#blocks.ends[this.#generations[i]] = this.#starts[i];
    this.stoppedFor = AT_ANOTHER_KIND;
  }

  #count(): void {
    const { entries } = this.#blocks;
    for (let i = 0; i < this.#copied; i++) entries[this.#generations[i]]++;
    this.entries += this.#copied;
    this.bytes += this.#copiedBytes;
  }
}

/**
 * Copies whole words to any byte: each store takes what the last word left over, so all are aligned. Up to four bytes behind
 * the last are zeroed. Little-endian, as a dump is and as the systems are that Node runs on.
 */
function copyWords(from: Int32Array, at: number, count: number, to: Int32Array, toByte: number): void {
  let word = toByte >> 2;
  const shift = (toByte & 3) << 3;
  if (shift === 0) {
    for (let i = 0; i < count; i++) to[word + i] = from[at + i];
    return;
  }
  let left = to[word] & ((1 << shift) - 1);
  for (let i = 0; i < count; i++) {
    const next = from[at + i];
    to[word++] = left | (next << shift);
    left = next >>> (32 - shift);
  }
  to[word] = left;
}
