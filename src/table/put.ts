import type { KeyEncoder } from '../codec/key.js';
import type { ValueEncoder } from '../codec/value.js';
import {
  BUCKET_MARKS_BYTE,
  COUNTER,
  ENTRY,
  MAX_OVERWRITTEN_WORDS,
  REF_SHIFT,
  SHARD,
  SLOT_SHIFT,
} from '../memory/layout.js';
import type { Clock } from '../sync/clock.js';
import { buildTailLocked } from './chain.js';
import { vacatePageLocked } from './compact.js';
import { isChained, NO_CLASS, paddedToWord, planBlocks, singleClass, writeHead, writePayload } from './entry.js';
import { countPassedLocked, emptySlotLocked, findSlot, NO_SLOT } from './index.js';
import { evictOneLocked, evictSlotLocked, removeSlotLocked } from './remove.js';
import type { Shard } from './shard.js';

/** Whether an entry of this size can ever be stored in the shard. */
export function fits(shard: Shard, key: KeyEncoder, value: ValueEncoder, maxEntryBytes: number): boolean {
  return shard.capacityEntries > 0 && key.lengthBytes + value.lengthBytes <= maxEntryBytes;
}

/**
 * Stores the entry, replacing what the key had: a short value that still fits its block is rewritten there, else the new
 * entry is written where nobody looks, then one ref is swapped. Returns the entry's slot, NO_SLOT when the heap could not
 * make room; the key is then absent.
 */
export function putLocked(shard: Shard, key: KeyEncoder, value: ValueEncoder, expiresAt: number, clock: Clock): number {
  const { heap, memory, words: m } = shard;
  const payload = paddedToWord(key.lengthBytes) + value.lengthBytes;
  let slot = findSlot(shard, key);
  let firstClass = singleClass(heap, payload);
  if (slot === NO_SLOT) makeSlotLocked(shard, key.hash, clock);
  else if (overwriteLocked(shard, slot, key, value, expiresAt, firstClass)) return slot;
  const entries = m[SHARD.entries];
  let chained = false;
  let next = 0;
  if (firstClass === NO_CLASS) {
    const classes = planBlocks(heap, payload);
    firstClass = classes[0];
    chained = classes.length > 1;
    if (chained) {
      next = buildTailLocked(shard, classes, key, value, (sizeClass) => allocateLocked(shard, sizeClass, clock));
      if (next === 0) return refuseLocked(shard, key);
    }
  }
  // The first block's allocation, the swap and the old block's release are one transaction: room is made before it.
  const ref = allocateLocked(shard, firstClass, clock);
  if (ref === 0) {
    memory.rollback();
    shard.drainLocked(SHARD.pending);
    return refuseLocked(shard, key);
  }
  // Making room may have evicted the very entry this one replaces.
  if (m[SHARD.entries] !== entries && slot !== NO_SLOT) slot = findSlot(shard, key);
  const word = ref << (REF_SHIFT - 2);
  const policyState = slot === NO_SLOT ? 0 : m[shard.entryWord(slot) + ENTRY.policy];
  writeHead(shard, ref, key, value, expiresAt, policyState, chained);
  heap.noteExpiry(ref, expiresAt);
  if (chained) {
    const here = heap.classBytes(firstClass) - ENTRY.chainedHeadWords * 4;
    m[word + ENTRY.next] = next;
    m[word + ENTRY.here] = here;
    writePayload(shard, (word + ENTRY.chainedHeadWords) << 2, key, value, 0, here);
    memory.set(SHARD.pending, 0);
  } else {
    writePayload(shard, (word + ENTRY.headWords) << 2, key, value, 0, payload);
  }
  if (slot === NO_SLOT) return insertLocked(shard, key.hash, ref);
  replaceLocked(shard, slot, key.hash, ref);
  return slot;
}

/**
 * Rewrites the value where it lies, if it is short and the new one belongs into a block of the same size: no block to find
 * and none to free. False when it does not, and nothing has changed.
 */
function overwriteLocked(
  shard: Shard,
  slot: number,
  key: KeyEncoder,
  value: ValueEncoder,
  expiresAt: number,
  sizeClass: number,
): boolean {
  const { memory, heap, words: m } = shard;
  const valueWords = (value.lengthBytes + 3) >> 2;
  if (sizeClass === NO_CLASS || valueWords > MAX_OVERWRITTEN_WORDS) return false;
  const ref = m[memory.refWord(slot)];
  const word = ref << (REF_SHIFT - 2);
  const keyBytes = paddedToWord(key.lengthBytes);
  const oldBytes = m[word + ENTRY.valueBytes];
  // The block's class as it was chosen for the old value: looking at the page table would cost a cache line.
  if (isChained(m[word + ENTRY.meta]) || singleClass(heap, keyBytes + oldBytes) !== sizeClass) return false;
  const valueWord = word + ENTRY.headWords + (keyBytes >> 2);
  // Expiring no earlier than before, it needs no look at the page table either.
  if (expiresAt < shard.doubles[(word + ENTRY.expiresAt) >> 1]) heap.noteExpiry(ref, expiresAt);
  memory.noteChange(key.hash);
  memory.save(word + ENTRY.meta, 2);
  memory.save(word + ENTRY.expiresAt, 2);
  memory.save(valueWord, valueWords);
  writeHead(shard, ref, key, value, expiresAt, m[word + ENTRY.policy], false);
  writePayload(shard, valueWord << 2, key, value, keyBytes, value.lengthBytes);
  shard.policy.updateLocked(slot, key.hash);
  memory.commit();
  return true;
}

/** A block of the class, making room by moving and evicting where there is none; 0 when the shard is empty and still full. */
function allocateLocked(shard: Shard, sizeClass: number, clock: Clock): number {
  const { heap, memory, words: m } = shard;
  // Ends: each round evicts an entry or returns.
  while (!heap.has(sizeClass)) {
    if (vacatePageLocked(shard)) continue;
    if (m[SHARD.entries] === 0) return 0;
    evictOneLocked(shard, clock);
  }
  memory.commit();
  return heap.allocate(sizeClass);
}

/** Sees to it that a new key may come and finds an empty slot; what follows only ever empties more of them. */
function makeSlotLocked(shard: Shard, hash: number, clock: Clock): void {
  if (shard.words[SHARD.entries] >= shard.capacityEntries) evictOneLocked(shard, clock);
  if (emptySlotLocked(shard, hash) !== NO_SLOT) return;
  // All slots of the probe path are full, which a good hash hardly ever does: the first of them gives way.
  evictSlotLocked(shard, shard.homeBucket(hash) << SLOT_SHIFT, clock);
}

/** The new entry's slot. */
function insertLocked(shard: Shard, hash: number, ref: number): number {
  const { memory } = shard;
  const slot = emptySlotLocked(shard, hash);
  const m = shard.words;
  const bucketWord = shard.bucketWord(slot >> SLOT_SHIFT);
  m[bucketWord + (slot & 7)] = hash;
  shard.bytes[bucketWord * 4 + BUCKET_MARKS_BYTE + (slot & 7)] = 0;
  memory.set(memory.refWord(slot), ref);
  memory.add(SHARD.entries, 1);
  m[SHARD.inserts]++;
  countPassedLocked(shard, hash, slot, 1);
  shard.policy.insertLocked(slot, hash);
  memory.commit();
  return slot;
}

function replaceLocked(shard: Shard, slot: number, hash: number, ref: number): void {
  const { memory, words: m } = shard;
  const refWord = memory.refWord(slot);
  const old = m[refWord];
  const oldWord = old << (REF_SHIFT - 2);
  memory.noteChange(hash);
  if (isChained(m[oldWord + ENTRY.meta])) memory.set(SHARD.dying, m[oldWord + ENTRY.next]);
  memory.set(refWord, ref);
  shard.heap.free(old);
  shard.policy.updateLocked(slot, hash);
  memory.commit();
  if (m[SHARD.dying] !== 0) shard.drainLocked(SHARD.dying);
}

/** A put that cannot be stored leaves the key absent, and its entry nowhere: NO_SLOT. */
export function refuseLocked(shard: Shard, key: KeyEncoder): typeof NO_SLOT {
  const slot = findSlot(shard, key);
  if (slot !== NO_SLOT) removeSlotLocked(shard, slot, false);
  shard.counters[COUNTER.rejections]++;
  return NO_SLOT;
}
