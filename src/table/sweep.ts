import { CAUSE, CHUNK_META, ENTRY, META_PAST, SHARD } from '../memory/layout.js';
import { NO_SLOT, slotOfRefLocked } from './buckets.js';
import { expiryAt, wordOf } from './entry.js';
import { dueLocked, endLocked, leaveLocked, overLocked } from './leave.js';
import type { Shard } from './shard.js';

/**
 * Removes what is over from pages [from, to): expired entries, and with `everything` those that a tag has ended. A page
 * remembers the earliest expiry in it, so a page where nothing can have expired costs one look; the others are scanned in
 * address order, each in one hold of the lock.
 */
function sweepPages(shard: Shard, from: number, to: number, everything: boolean): number {
  const now = shard.clock.now();
  let removed = 0;
  for (let page = from; page < to; page++) {
    if (!everything && !shard.heap.mayHaveExpired(page, now)) continue;
    removed += shard.locked(0, () => sweepPageLocked(shard, page, now, Number.POSITIVE_INFINITY).removed);
  }
  return removed;
}

/** What a sweep of a page did: how many entries it removed, and one that is in its grace period, 0 if it saw none. */
interface Swept {
  readonly removed: number;
  readonly inGrace: number;
}

/** Removes the page's entries that are over for good, `most` of them. */
function sweepPageLocked(shard: Shard, page: number, now: number, most: number): Swept {
  const { heap, words: m } = shard;
  let removed = 0;
  let earliest = Number.POSITIVE_INFINITY;
  let inGrace = 0;
  heap.forEachBlock(page, (ref) => {
    if (removed === most || m[wordOf(ref) + ENTRY.meta] === CHUNK_META) return;
    if (sweepEntryLocked(shard, ref, now)) {
      removed++;
      return;
    }
    earliest = Math.min(earliest, dueLocked(shard, ref));
    if ((m[wordOf(ref) + ENTRY.meta] & META_PAST) !== 0) inGrace = ref;
  });
  // Only after a look at all of them; and last, so that a death in between leaves the old and earlier time.
  if (removed < most) heap.setExpiry(page, earliest);
  return { removed, inGrace };
}

/**
 * Makes room in the page by what is over: removes up to `most` entries, and if it finds none to remove, one that is in its
 * grace period. Whether any left.
 */
export function reclaimPageLocked(shard: Shard, page: number, most: number): boolean {
  const { removed, inGrace } = sweepPageLocked(shard, page, shard.clock.now(), most);
  return removed > 0 || (inGrace !== 0 && leaveByRefLocked(shard, inGrace, CAUSE.expired));
}

/** Removes the entry if it is over for good. One in its grace period no longer counts as an entry from here on. */
function sweepEntryLocked(shard: Shard, ref: number, now: number): boolean {
  const over = overLocked(shard, ref);
  if (over === undefined) return false;
  if (over === CAUSE.expired && isInGraceLocked(shard, ref, now)) {
    markPastLocked(shard, ref);
    return false;
  }
  return leaveByRefLocked(shard, ref, over);
}

/** Of an expired entry. One without a grace period may have expired after `now` was taken: it is over for good all the same. */
function isInGraceLocked(shard: Shard, ref: number, now: number): boolean {
  const end = endLocked(shard, ref);
  return end > now && end > expiryAt(shard.words, wordOf(ref));
}

/** Takes an entry found from the heap's side out of its slot. False when no slot has it. */
function leaveByRefLocked(shard: Shard, ref: number, cause: number): boolean {
  const slot = slotOfRefLocked(shard, ref);
  if (slot === NO_SLOT) return false;
  leaveLocked(shard, slot, cause);
  return true;
}

function markPastLocked(shard: Shard, ref: number): void {
  const { memory, words: m } = shard;
  const metaWord = wordOf(ref) + ENTRY.meta;
  if ((m[metaWord] & META_PAST) !== 0) return;
  memory.set(metaWord, m[metaWord] | META_PAST);
  memory.add(SHARD.past, 1);
  memory.commit();
}

/** Removes everything that is over now, and returns how many entries that were. */
export function sweepAll(shard: Shard): number {
  return sweepPages(shard, 0, shard.heap.usedPages, hasInvalidations(shard));
}

/** The next `pages` pages of the background sweep, which goes round the shard for ever. */
export function sweepSome(shard: Shard, pages: number): number {
  const { doubles, words: m } = shard;
  const used = shard.heap.usedPages;
  if (used === 0) return 0;
  const from = Math.min(Math.max(0, m[SHARD.sweepPage]), used);
  if (from === 0) doubles[SHARD.sweepingInvalidation >> 1] = shard.tags.now();
  const to = Math.min(used, from + pages);
  const removed = sweepPages(shard, from, to, hasInvalidations(shard));
  m[SHARD.sweepPage] = to >= used ? 0 : to;
  if (to >= used) doubles[SHARD.sweptInvalidation >> 1] = doubles[SHARD.sweepingInvalidation >> 1];
  return removed;
}

/** Whether something was invalidated that a whole round has not looked at yet. */
export function hasInvalidations(shard: Shard): boolean {
  return shard.tags.now() > shard.doubles[SHARD.sweptInvalidation >> 1];
}
