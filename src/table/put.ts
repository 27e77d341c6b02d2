import type { KeyEncoder } from '../codec/key.js';
import {
  BUCKET_MARKS_BYTE,
  CAUSE,
  COUNTER,
  ENTRY,
  MAX_OVERWRITTEN_WORDS,
  SHARD,
  SLOT_SHIFT,
} from '../memory/layout.js';
import { countPassedLocked, emptySlotLocked, findSlot, NO_SLOT } from './buckets.js';
import { buildTailLocked } from './chain.js';
import type { Draft } from './draft.js';
import {
  expiryAt,
  isChained,
  NO_CLASS,
  overwriteHead,
  paddedToWord,
  planBlocks,
  singleClass,
  versionAt,
  wordOf,
  writeHead,
  writePayload,
} from './entry.js';
import { evictFromPathLocked, evictOneLocked } from './evict.js';
import { replacedLocked } from './leave.js';
import { removeLocked } from './remove.js';
import type { Shard } from './shard.js';
import { vacatePageLocked } from './vacate.js';

/** Where an entry is that was over as soon as it was put. */
export const OVER_AT_ONCE = -2;

/** Whether an entry of this size can ever be stored. */
export function fits(draft: Draft, maxEntryBytes: number): boolean {
  return draft.key.lengthBytes + draft.lengthBytes <= maxEntryBytes;
}

/**
 * What every put comes to: stores the entry, replacing what the key had. Returns its slot; NO_SLOT when it can never fit (the
 * key is then absent), OVER_AT_ONCE when its TTL is 0 (the key is absent, and rightly so).
 */
export function putLocked(shard: Shard, draft: Draft, maxEntryBytes: number): number {
  if (!draft.isQuiet) shard.counters[COUNTER.puts]++;
  if (shard.capacityEntries === 0 || !fits(draft, maxEntryBytes)) return refuseLocked(shard, draft.key);
  if (!draft.isOver) return storeLocked(shard, draft);
  removeLocked(shard, draft.key, CAUSE.replaced);
  return OVER_AT_ONCE;
}

/** A put that cannot be stored leaves the key absent, and its entry nowhere: NO_SLOT. */
function refuseLocked(shard: Shard, key: KeyEncoder): typeof NO_SLOT {
  removeLocked(shard, key, CAUSE.refused);
  shard.counters[COUNTER.rejections]++;
  return NO_SLOT;
}

/**
 * Stores the entry, replacing what the key had: a short value that still fits its block is rewritten there, else the new
 * entry is written where nobody looks, then one ref is swapped. Returns the entry's slot, NO_SLOT when the heap could not
 * make room; the key is then absent.
 */
function storeLocked(shard: Shard, draft: Draft): number {
  const { key } = draft;
  const slot = findSlot(shard, key);
  draft.version = draft.isQuiet ? versionAt(shard.words, shard.entryWord(slot)) : shard.nextWriteLocked();
  const firstClass = singleClass(shard.heap, draft.payloadBytes);
  if (slot === NO_SLOT) makeSlotLocked(shard, key.hash);
  else if (overwriteLocked(shard, slot, draft, firstClass)) return slot;
  return storeAnewLocked(shard, slot, draft, firstClass);
}

/** Writes the entry into blocks of its own; `before` is the slot of the entry it replaces, NO_SLOT when there is none. */
function storeAnewLocked(shard: Shard, before: number, draft: Draft, sizeClass: number): number {
  const { heap, memory, words: m } = shard;
  const { key } = draft;
  let slot = before;
  let firstClass = sizeClass;
  const entries = m[SHARD.entries];
  let chained = false;
  let next = 0;
  if (firstClass === NO_CLASS) {
    const classes = planBlocks(heap, draft.payloadBytes);
    firstClass = classes[0];
    chained = classes.length > 1;
    if (chained) {
      next = buildTailLocked(shard, classes, draft, (sizeClass) => allocateLocked(shard, sizeClass));
      if (next === 0) return refuseLocked(shard, key);
    }
  }
  // The first block's allocation, the swap and the old block's release are one transaction: room is made before it.
  const ref = allocateLocked(shard, firstClass);
  if (ref === 0) {
    memory.rollback();
    shard.drainLocked(SHARD.pending);
    return refuseLocked(shard, key);
  }
  // Making room may have evicted the very entry this one replaces.
  if (m[SHARD.entries] !== entries && slot !== NO_SLOT) slot = findSlot(shard, key);
  const word = wordOf(ref);
  const policyState = slot === NO_SLOT ? 0 : m[shard.entryWord(slot) + ENTRY.policy];
  writeHead(shard, word, draft, policyState, chained);
  heap.noteExpiry(ref, draft.expiresAt);
  if (chained) {
    const here = heap.classBytes(firstClass) - ENTRY.chainedHeadWords * 4;
    m[word + ENTRY.next] = next;
    m[word + ENTRY.here] = here;
    m[word + ENTRY.hash] = key.hash;
    writePayload(shard, (word + ENTRY.chainedHeadWords) << 2, draft, 0, here);
    memory.set(SHARD.pending, 0);
  } else {
    writePayload(shard, (word + ENTRY.headWords) << 2, draft, 0, draft.payloadBytes);
  }
  if (slot === NO_SLOT) return insertLocked(shard, key.hash, ref);
  swapLocked(shard, slot, draft, ref);
  return slot;
}

/**
 * Rewrites the value where it lies, if it is short and the new one belongs into a block of the same size: no block to find
 * and none to free. False when it does not, and nothing has changed.
 */
function overwriteLocked(shard: Shard, slot: number, draft: Draft, sizeClass: number): boolean {
  const { memory, heap, words: m } = shard;
  const { key } = draft;
  const valueWords = (draft.lengthBytes + 3) >> 2;
  if (sizeClass === NO_CLASS || valueWords > MAX_OVERWRITTEN_WORDS) return false;
  const ref = m[memory.refWord(slot)];
  const word = wordOf(ref);
  const keyBytes = paddedToWord(key.lengthBytes);
  const oldBytes = m[word + ENTRY.valueBytes];
  // The block's class as it was chosen for the old value: looking at the page table would cost a cache line.
  if (isChained(m[word + ENTRY.meta]) || singleClass(heap, keyBytes + oldBytes) !== sizeClass) return false;
  const valueWord = word + ENTRY.headWords + (keyBytes >> 2);
  // Expiring no earlier than before, it needs no look at the page table either.
  if (draft.expiresAt < expiryAt(m, word)) heap.noteExpiry(ref, draft.expiresAt);
  memory.noteChange(key.hash);
  if (!draft.isQuiet) replacedLocked(shard, ref, draft);
  memory.save(valueWord, valueWords);
  overwriteHead(shard, word, draft);
  writePayload(shard, valueWord << 2, draft, keyBytes, draft.lengthBytes);
  shard.policy.updateLocked(slot, key.hash);
  memory.commit();
  return true;
}

/** A block of the class, making room by moving and evicting where there is none; 0 when the shard is empty and still full. */
function allocateLocked(shard: Shard, sizeClass: number): number {
  const { heap, memory, words: m } = shard;
  // Ends: each round evicts an entry or returns.
  while (!heap.has(sizeClass)) {
    if (vacatePageLocked(shard)) continue;
    if (m[SHARD.entries] === 0) return 0;
    evictOneLocked(shard);
  }
  memory.commit();
  return heap.allocate(sizeClass);
}

/** Sees to it that a new key may come and finds an empty slot; what follows only ever empties more of them. */
function makeSlotLocked(shard: Shard, hash: number): void {
  if (shard.words[SHARD.entries] >= shard.capacityEntries) evictOneLocked(shard);
  if (emptySlotLocked(shard, hash) !== NO_SLOT) return;
  // All slots of the probe path are full, which a good hash hardly ever does.
  evictFromPathLocked(shard, hash);
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

/** The slot's ref becomes that of the new entry, and the old block is free. */
function swapLocked(shard: Shard, slot: number, draft: Draft, ref: number): void {
  const { memory, words: m } = shard;
  const refWord = memory.refWord(slot);
  const old = m[refWord];
  const oldWord = wordOf(old);
  memory.noteChange(draft.key.hash);
  if (!draft.isQuiet) replacedLocked(shard, old, draft);
  if (isChained(m[oldWord + ENTRY.meta])) memory.set(SHARD.dying, m[oldWord + ENTRY.next]);
  memory.set(refWord, ref);
  shard.heap.free(old);
  shard.policy.updateLocked(slot, draft.key.hash);
  memory.commit();
  if (m[SHARD.dying] !== 0) shard.drainLocked(SHARD.dying);
}
