import type { Heap } from '../memory/heap.js';
import {
  CHUNK,
  ENTRY,
  EXPIRY_HIGH_BITS,
  EXPIRY_HIGH_MASK,
  META_CHAINED,
  META_EXTENDED,
  META_KEY_MASK,
  META_KIND_MASK,
  META_KIND_SHIFT,
  NEVER,
  REF_SHIFT,
} from '../memory/layout.js';
import type { Draft } from './draft.js';
import type { Shard } from './shard.js';

/** Below this many bytes a plain loop beats the call of a builtin copy. */
const LOOP_BYTES = 160;
const WORD_RANGE = 2 ** 32;

export const paddedToWord = (bytes: number): number => (bytes + 3) & ~3;
export const keyBytesOf = (meta: number): number => meta & META_KEY_MASK;
export const kindOf = (meta: number): number => (meta >> META_KIND_SHIFT) & META_KIND_MASK;
export const isChained = (meta: number): boolean => (meta & META_CHAINED) !== 0;
export const isExtended = (meta: number): boolean => (meta & META_EXTENDED) !== 0;

/** Word index of the entry behind a ref. */
export const wordOf = (ref: number): number => ref << (REF_SHIFT - 2);

/** When the entry at this word expires, ms; Infinity when it never does. */
export function expiryAt(m: Int32Array, word: number): number {
  const expiry = (m[word + ENTRY.high] & EXPIRY_HIGH_MASK) * WORD_RANGE + (m[word + ENTRY.expiry] >>> 0);
  return expiry === NEVER ? Number.POSITIVE_INFINITY : expiry;
}

/** The version of the entry at this word: the number of the write that made it, below 2^52. */
export function versionAt(m: Int32Array, word: number): number {
  return (m[word + ENTRY.high] >>> EXPIRY_HIGH_BITS) * WORD_RANGE + (m[word + ENTRY.version] >>> 0);
}

/** The word that holds an expiry's high bits beside a version's. */
export function highWord(expiresAt: number, version: number): number {
  const expiry = Math.min(expiresAt, NEVER);
  return (expiry / WORD_RANGE) | 0 | (((version / WORD_RANGE) | 0) << EXPIRY_HIGH_BITS);
}

/** The low word of an expiry in ms. */
export const lowWord = (expiresAt: number): number => (expiresAt > NEVER ? -1 : expiresAt | 0);

export const NO_CLASS = -1;
/** A chain's blocks that are not whole pages: they come last. */
export const MOST_TAIL_BLOCKS = 3;

/** The size class of an entry of so many payload bytes (padded key and value), where one fits to within an eighth; or NO_CLASS. */
export function singleClass(heap: Heap, payloadBytes: number): number {
  const whole = payloadBytes + ENTRY.headWords * 4;
  if (whole > heap.pageBytes) return NO_CLASS;
  const sizeClass = heap.classFor(whole);
  return whole < heap.pageBytes >> 4 || heap.classBytes(sizeClass) - whole <= whole >> 3 ? sizeClass : NO_CLASS;
}

/**
 * The blocks of an entry that no class fits well: whole pages, and a tail in at most three more blocks; or one block after
 * all. Size classes in order; the first holds the head. (Not in an array: another's setters must not run under the lock.)
 */
export function planBlocks(heap: Heap, payloadBytes: number): Int32Array {
  const classes = new Int32Array(
    Math.ceil(payloadBytes / (heap.pageBytes - ENTRY.chainedHeadWords * 4)) + MOST_TAIL_BLOCKS,
  );
  let count = 0;
  let left = payloadBytes;
  for (let tail = 0; left > 0; ) {
    const head = (count === 0 ? ENTRY.chainedHeadWords : CHUNK.headWords) * 4;
    let sizeClass: number;
    if (left + head >= heap.pageBytes) {
      sizeClass = heap.classFor(heap.pageBytes);
    } else {
      sizeClass = heap.classFor(left + head);
      const fitsWell = heap.classBytes(sizeClass) - left - head <= left >> 3;
      if (!fitsWell && tail < MOST_TAIL_BLOCKS - 1 && sizeClass > 0 && heap.classBytes(sizeClass - 1) > head)
        sizeClass -= 1;
      tail++;
    }
    classes[count++] = sizeClass;
    left -= heap.classBytes(sizeClass) - head;
  }
  return classes.subarray(0, count);
}

/** Writes an entry's head: into a block that nothing refers to yet, or over words that were saved to the journal. */
export function writeHead(shard: Shard, word: number, draft: Draft, policyState: number, chained: boolean): void {
  const m = shard.words;
  const { expiresAt, version } = draft;
  m[word + ENTRY.meta] = metaOf(draft) | (chained ? META_CHAINED : 0);
  m[word + ENTRY.valueBytes] = draft.lengthBytes;
  m[word + ENTRY.policy] = policyState;
  m[word + ENTRY.version] = version | 0;
  m[word + ENTRY.expiry] = lowWord(expiresAt);
  m[word + ENTRY.high] = highWord(expiresAt, version);
}

const metaOf = (draft: Draft): number =>
  draft.key.lengthBytes | (draft.kind << META_KIND_SHIFT) | (draft.isExtended ? META_EXTENDED : 0);

/** Journaled: the head of an unchained entry of the same key gets what the draft has else. Most often that is two words. */
export function overwriteHead(shard: Shard, word: number, draft: Draft): void {
  const { memory, words: m } = shard;
  const { expiresAt, version, lengthBytes } = draft;
  const meta = metaOf(draft);
  const high = highWord(expiresAt, version);
  if (m[word + ENTRY.meta] !== meta) memory.set(word + ENTRY.meta, meta);
  if (m[word + ENTRY.valueBytes] !== lengthBytes) memory.set(word + ENTRY.valueBytes, lengthBytes);
  if (m[word + ENTRY.high] !== high) memory.set(word + ENTRY.high, high);
  memory.save(word + ENTRY.version, 2);
  m[word + ENTRY.version] = version | 0;
  m[word + ENTRY.expiry] = lowWord(expiresAt);
}

/** Writes payload bytes [from, from + length) of (padded key, value) to `toByte`; `from` and `toByte` are word-aligned. */
export function writePayload(shard: Shard, toByte: number, draft: Draft, from: number, length: number): void {
  const m = shard.words;
  const keyBytes = paddedToWord(draft.key.lengthBytes);
  let to = toByte >> 2;
  let at = from;
  const end = from + length;
  const keyWords = draft.key.words;
  for (; at < keyBytes && at < end; at += 4) m[to++] = keyWords[at >> 2];
  if (at >= end) return;
  const first = at - keyBytes;
  const count = end - at;
  const valueWords = draft.words;
  if (valueWords !== undefined && count <= LOOP_BYTES) {
    const last = (first + count + 3) >> 2;
    for (let i = first >> 2; i < last; i++) m[to++] = valueWords[i];
    return;
  }
  const start = draft.offset + first;
  const { bytes } = draft;
  const isWhole = start === 0 && count === bytes.length;
  shard.bytes.set(isWhole ? bytes : bytes.subarray(start, start + count), to << 2);
}

/** Copies `length` bytes of shared memory to private memory; for racing readers, so nothing is interpreted. */
export function copyOut(shard: Shard, fromByte: number, target: Buffer, targetByte: number, length: number): void {
  if (length <= 32) {
    for (let i = 0; i < length; i++) target[targetByte + i] = shard.bytes[fromByte + i];
  } else {
    shard.bytes.copy(target, targetByte, fromByte, fromByte + length);
  }
}
