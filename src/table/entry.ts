import type { KeyEncoder } from '../codec/key.js';
import type { ValueEncoder } from '../codec/value.js';
import type { Heap } from '../memory/heap.js';
import {
  CHUNK,
  ENTRY,
  META_CHAINED,
  META_KEY_MASK,
  META_KIND_MASK,
  META_KIND_SHIFT,
  REF_SHIFT,
} from '../memory/layout.js';
import type { Shard } from './shard.js';

/** Below this many bytes a plain loop beats the call of a builtin copy. */
const LOOP_BYTES = 160;

export const paddedToWord = (bytes: number): number => (bytes + 3) & ~3;
export const keyBytesOf = (meta: number): number => meta & META_KEY_MASK;
export const kindOf = (meta: number): number => (meta >> META_KIND_SHIFT) & META_KIND_MASK;
export const isChained = (meta: number): boolean => (meta & META_CHAINED) !== 0;

export const NO_CLASS = -1;

/** The size class of an entry of so many payload bytes (padded key and value), where one fits to within an eighth; or NO_CLASS. */
export function singleClass(heap: Heap, payloadBytes: number): number {
  const whole = payloadBytes + ENTRY.headWords * 4;
  if (whole > heap.pageBytes) return NO_CLASS;
  const sizeClass = heap.classFor(whole);
  return whole < heap.pageBytes >> 4 || heap.classBytes(sizeClass) - whole <= whole >> 3 ? sizeClass : NO_CLASS;
}

/**
 * The blocks of an entry that no class fits well: whole pages, and a tail in at most three more blocks; or one block after
 * all. Size classes in order; the first holds the head.
 */
export function planBlocks(heap: Heap, payloadBytes: number): readonly number[] {
  const classes: number[] = [];
  let left = payloadBytes;
  for (let tail = 0; left > 0; ) {
    const head = (classes.length === 0 ? ENTRY.chainedHeadWords : CHUNK.headWords) * 4;
    let sizeClass: number;
    if (left + head >= heap.pageBytes) {
      sizeClass = heap.classFor(heap.pageBytes);
    } else {
      sizeClass = heap.classFor(left + head);
      const fitsWell = heap.classBytes(sizeClass) - left - head <= left >> 3;
      if (!fitsWell && tail < 2 && sizeClass > 0 && heap.classBytes(sizeClass - 1) > head) sizeClass -= 1;
      tail++;
    }
    classes.push(sizeClass);
    left -= heap.classBytes(sizeClass) - head;
  }
  return classes;
}

/** Writes an entry's head into a block nothing refers to yet. */
export function writeHead(
  shard: Shard,
  ref: number,
  key: KeyEncoder,
  value: ValueEncoder,
  expiresAt: number,
  policyState: number,
  chained: boolean,
): void {
  const m = shard.words;
  const word = ref << (REF_SHIFT - 2);
  m[word + ENTRY.hash] = key.hash;
  m[word + ENTRY.meta] = key.lengthBytes | (value.kind << META_KIND_SHIFT) | (chained ? META_CHAINED : 0);
  m[word + ENTRY.valueBytes] = value.lengthBytes;
  m[word + ENTRY.policy] = policyState;
  shard.doubles[(word + ENTRY.expiresAt) >> 1] = expiresAt;
}

/** Writes payload bytes [from, from + length) of (padded key, value) to `toByte`; `from` and `toByte` are word-aligned. */
export function writePayload(
  shard: Shard,
  toByte: number,
  key: KeyEncoder,
  value: ValueEncoder,
  from: number,
  length: number,
): void {
  const m = shard.words;
  const keyBytes = paddedToWord(key.lengthBytes);
  let to = toByte >> 2;
  let at = from;
  const end = from + length;
  const keyWords = key.words;
  for (; at < keyBytes && at < end; at += 4) m[to++] = keyWords[at >> 2];
  if (at >= end) return;
  const first = at - keyBytes;
  const count = end - at;
  if (value.words !== undefined && count <= LOOP_BYTES) {
    const valueWords = value.words;
    const last = (first + count + 3) >> 2;
    for (let i = first >> 2; i < last; i++) m[to++] = valueWords[i];
    return;
  }
  const start = value.offset + first;
  const isWhole = start === 0 && count === value.bytes.length;
  shard.bytes.set(isWhole ? value.bytes : value.bytes.subarray(start, start + count), to << 2);
}

/** Copies `length` bytes of shared memory to private memory; for racing readers, so nothing is interpreted. */
export function copyOut(shard: Shard, fromByte: number, target: Buffer, targetByte: number, length: number): void {
  if (length <= 32) {
    for (let i = 0; i < length; i++) target[targetByte + i] = shard.bytes[fromByte + i];
  } else {
    shard.bytes.copy(target, targetByte, fromByte, fromByte + length);
  }
}
