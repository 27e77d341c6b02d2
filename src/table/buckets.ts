import type { KeyEncoder } from '../codec/key.js';
import {
  BUCKET_OVERFLOW,
  BUCKET_REFS,
  BUCKET_SLOTS,
  ENTRY,
  MAX_PROBE,
  META_CHAINED,
  META_KEY_MASK,
  OVERFLOW_UNIT,
  SLOT_SHIFT,
} from '../memory/layout.js';
import { chainedKeyEquals } from './chain.js';
import { wordOf } from './entry.js';
import type { Shard } from './shard.js';

export const NO_SLOT = -1;

/**
 * Slot of the key, or NO_SLOT. Runs under the lock or racing with a writer; racing is safe because slots are type-stable
 * (a ref is always a block's first byte or 0), all loops are bounded, and the caller validates the version before it
 * believes the answer.
 */
export function findSlot(shard: Shard, key: KeyEncoder): number {
  const m = shard.words;
  const hash = key.hash;
  let bucket = shard.homeBucket(hash);
  for (let probe = 0; probe < MAX_PROBE; probe++) {
    const base = shard.bucketWord(bucket);
    for (let place = 0; place < BUCKET_SLOTS; place++) {
      if (m[base + place] !== hash) continue;
      const ref = m[base + BUCKET_REFS + place];
      if (ref !== 0 && entryHasKey(shard, ref, key)) return (bucket << SLOT_SHIFT) | place;
    }
    if (m[base + BUCKET_OVERFLOW] >>> 24 === 0) return NO_SLOT;
    if (++bucket === shard.bucketCount) bucket = 0;
  }
  return NO_SLOT;
}

function entryHasKey(shard: Shard, ref: number, key: KeyEncoder): boolean {
  const m = shard.words;
  const word = wordOf(ref);
  const meta = m[word + ENTRY.meta];
  if ((meta & META_KEY_MASK) !== key.lengthBytes) return false;
  if ((meta & META_CHAINED) !== 0) return chainedKeyEquals(shard, ref, key);
  const keyWord = word + ENTRY.headWords;
  const keyWords = key.words;
  const count = (key.lengthBytes + 3) >> 2;
  for (let i = 0; i < count; i++) if (m[keyWord + i] !== keyWords[i]) return false;
  return true;
}

/** An empty slot for the hash, or NO_SLOT when the whole probe path is full. Under the lock. */
export function emptySlotLocked(shard: Shard, hash: number): number {
  const m = shard.words;
  let bucket = shard.homeBucket(hash);
  for (let probe = 0; probe < MAX_PROBE; probe++) {
    const refs = shard.bucketWord(bucket) + BUCKET_REFS;
    for (let place = 0; place < BUCKET_SLOTS; place++) if (m[refs + place] === 0) return (bucket << SLOT_SHIFT) | place;
    if (++bucket === shard.bucketCount) bucket = 0;
  }
  return NO_SLOT;
}

/** Counts the entry in (+1) or out (-1) of every bucket its search passes before its own. */
export function countPassedLocked(shard: Shard, hash: number, slot: number, sign: 1 | -1): void {
  const target = slot >> SLOT_SHIFT;
  let bucket = shard.homeBucket(hash);
  for (let probe = 0; bucket !== target && probe < MAX_PROBE; probe++) {
    const word = shard.bucketWord(bucket) + BUCKET_OVERFLOW;
    shard.memory.set(word, (shard.words[word] + sign * OVERFLOW_UNIT) | 0);
    if (++bucket === shard.bucketCount) bucket = 0;
  }
}

/** The first slot on the probe path whose entry has this hash and `isWanted`; NO_SLOT without one. */
export function slotOfHashLocked(shard: Shard, hash: number, isWanted: (slot: number) => boolean): number {
  const m = shard.words;
  let bucket = shard.homeBucket(hash);
  for (let probe = 0; probe < MAX_PROBE; probe++) {
    const base = shard.bucketWord(bucket);
    for (let place = 0; place < BUCKET_SLOTS; place++) {
      if (m[base + place] !== hash || m[base + BUCKET_REFS + place] === 0) continue;
      const slot = (bucket << SLOT_SHIFT) | place;
      if (isWanted(slot)) return slot;
    }
    if (m[base + BUCKET_OVERFLOW] >>> 24 === 0) break;
    if (++bucket === shard.bucketCount) bucket = 0;
  }
  return NO_SLOT;
}

/** The slot of an entry found from the heap's side; NO_SLOT when no slot has it. */
export function slotOfRefLocked(shard: Shard, ref: number): number {
  return slotOfHashLocked(shard, shard.hashOfLocked(ref), (slot) => shard.words[shard.memory.refWord(slot)] === ref);
}

/** Whether the slot exists and holds an entry. */
export function isFilled(shard: Shard, slot: number): boolean {
  return slot >= 0 && slot < shard.memory.slotCount && shard.heap.isBlock(shard.words[shard.memory.refWord(slot)]);
}
