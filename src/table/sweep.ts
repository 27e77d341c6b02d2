import { CHUNK_META, COUNTER, ENTRY, REF_SHIFT, SHARD } from '../memory/layout.js';
import { isFilledRef, slotsOfHashLocked } from './index.js';
import { removeSlotLocked } from './remove.js';
import type { Shard } from './shard.js';

/**
 * Removes the expired entries of pages [from, to). A page remembers the earliest expiry in it, so a page where nothing can
 * have expired costs one look; the others are scanned in address order, each in one hold of the lock.
 */
export function sweepPages(shard: Shard, from: number, to: number, now: number): number {
  let removed = 0;
  for (let page = from; page < to; page++) {
    if (!shard.heap.mayHaveExpired(page, now) || !shard.lock()) continue;
    let completed = false;
    try {
      removed += sweepPageLocked(shard, page, now);
      completed = true;
    } finally {
      shard.unlock(completed);
    }
  }
  return removed;
}

function sweepPageLocked(shard: Shard, page: number, now: number): number {
  const { heap, doubles, words: m } = shard;
  let removed = 0;
  let earliest = Number.POSITIVE_INFINITY;
  heap.forEachBlock(page, (ref) => {
    const word = ref << (REF_SHIFT - 2);
    if (m[word + ENTRY.meta] === CHUNK_META) return;
    const expiresAt = doubles[(word + ENTRY.expiresAt) >> 1];
    if (expiresAt > now) earliest = Math.min(earliest, expiresAt);
    else if (removeEntryLocked(shard, ref)) removed++;
  });
  // Last, so that a death in between leaves the old and earlier time.
  heap.setExpiry(page, earliest);
  shard.counters[COUNTER.expirations] += removed;
  return removed;
}

function removeEntryLocked(shard: Shard, ref: number): boolean {
  const hash = shard.words[(ref << (REF_SHIFT - 2)) + ENTRY.hash];
  for (const slot of slotsOfHashLocked(shard, hash)) {
    if (!isFilledRef(shard, slot, ref)) continue;
    removeSlotLocked(shard, slot, false);
    return true;
  }
  return false;
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
