import { CHUNK_META, COUNTER, ENTRY, REF_SHIFT, SHARD } from '../memory/layout.js';
import { isFilledRef, NO_SLOT, slotsOfHashLocked } from './index.js';
import { removeSlotLocked } from './remove.js';
import type { Shard } from './shard.js';

/** Entries removed in one hold of the lock. */
const BATCH = 256;

/**
 * Removes the expired entries of pages [from, to). The heap is scanned in address order, without the lock: an expiry time
 * seen there is a rumour, which is checked under the lock before anything is removed.
 */
export function sweepPages(shard: Shard, from: number, to: number, now: number): number {
  const m = shard.words;
  let removed = 0;
  let suspects: number[] = [];
  const visit = (ref: number): void => {
    const word = ref << (REF_SHIFT - 2);
    if (m[word + ENTRY.meta] !== CHUNK_META && shard.doubles[(word + ENTRY.expiresAt) >> 1] <= now) suspects.push(ref);
  };
  for (let page = from; page < to; page++) {
    shard.heap.forEachBlock(page, visit);
    while (suspects.length >= BATCH || (page === to - 1 && suspects.length > 0)) {
      removed += removeSuspects(shard, suspects.slice(0, BATCH), now);
      suspects = suspects.slice(BATCH);
    }
  }
  return removed;
}

function removeSuspects(shard: Shard, refs: number[], now: number): number {
  if (!shard.lock()) return 0;
  let completed = false;
  let removed = 0;
  try {
    for (const ref of refs) {
      const slot = expiredSlotLocked(shard, ref, now);
      if (slot === NO_SLOT) continue;
      removeSlotLocked(shard, slot, false);
      removed++;
    }
    completed = true;
  } finally {
    shard.counters[COUNTER.expirations] += removed;
    shard.unlock(completed);
  }
  return removed;
}

/** The slot whose entry is this block and has expired; the block may have become anything since it was seen. */
function expiredSlotLocked(shard: Shard, ref: number, now: number): number {
  const word = ref << (REF_SHIFT - 2);
  for (const slot of slotsOfHashLocked(shard, shard.words[word + ENTRY.hash])) {
    if (isFilledRef(shard, slot, ref)) return shard.memory.expiresAt(slot) <= now ? slot : NO_SLOT;
  }
  return NO_SLOT;
}

/** The next `pages` pages of the background sweep, which goes round the shard for ever. */
export function sweepSome(shard: Shard, pages: number, now: number): number {
  const used = shard.heap.usedPages;
  if (used === 0) return 0;
  const from = Math.min(Math.max(0, shard.words[SHARD.sweepPage]), used);
  const to = Math.min(used, from + pages);
  shard.words[SHARD.sweepPage] = to >= used ? 0 : to;
  return sweepPages(shard, from, to, now);
}
