import { SHARD } from '../memory/layout.js';
import type { Shard } from './shard.js';
import { hasInvalidations, reclaimPageLocked } from './sweep.js';

const NO_ROUND = -1;
/** For one eviction: page records read, and pages whose entries are looked at in vain. */
const RECORDS_PER_EVICTION = 64;
const PAGES_PER_EVICTION = 4;
/** Entries removed at once, so that no put holds the lock for long. */
const MOST_REMOVED = 16;
/** How long the next round waits for each page whose entries this one looked at in vain. Looking takes some microseconds. */
const PAUSE_PER_PAGE_MS = 1;

/**
 * Finds entries that are over (expired, or ended by a tag) before the policy gives up a live one.
 *
 * It goes round the shard's pages, a bounded part of a round for each eviction. A page's record says when its first entry
 * expires, so a page where nothing can have expired costs one read. Records say nothing about invalidated tags or entries in
 * their grace period; a round looks at all pages if the shard may have such entries. The sweeper removes the same entries,
 * but only every second or so, and `sweep: false` does without it.
 *
 * Each thread goes its own rounds. What is kept between two calls is advice, so it needs no repair.
 */
export class Reclaimer {
  /** The page the round has come to; NO_ROUND between two rounds. */
  #page = NO_ROUND;
  /** When the next round may begin, ms, and when the last one ended. */
  #nextAt = Number.NEGATIVE_INFINITY;
  #endedAt = Number.NEGATIVE_INFINITY;
  #pagesInVain = 0;
  #looksAtAll = false;
  /** The last invalidation when the round began, and the one up to which a round has looked at all pages. */
  #invalidation = 0;
  #reclaimedInvalidation = 0;

  /** Whether entries that are over were removed: at least one, at most 16. */
  reclaimLocked(shard: Shard): boolean {
    const now = shard.clock.recent();
    if (this.#page === NO_ROUND && !this.#begin(shard, now)) return false;
    // Looking marks entries that have come into their grace period, and takes them off the page's record.
    if (shard.words[SHARD.past] > 0) this.#looksAtAll = true;
    const { heap } = shard;
    const used = heap.usedPages;
    const end = Math.min(used, this.#page + RECORDS_PER_EVICTION);
    for (let pages = 0; this.#page < end && pages < PAGES_PER_EVICTION; this.#page++) {
      if (!this.#looksAtAll && !heap.mayHaveExpired(this.#page, now)) continue;
      // The page may hold more of them, so the next eviction begins with it.
      if (reclaimPageLocked(shard, this.#page, MOST_REMOVED)) return true;
      pages++;
      this.#pagesInVain++;
    }
    if (this.#page >= used) this.#end(now);
    return false;
  }

  #begin(shard: Shard, now: number): boolean {
    // A clock that was set back (a test's own) must not stop the rounds.
    if (now < this.#nextAt && now >= this.#endedAt) return false;
    this.#page = 0;
    this.#pagesInVain = 0;
    this.#invalidation = shard.tags.now();
    this.#looksAtAll = this.#invalidation > this.#reclaimedInvalidation && hasInvalidations(shard);
    return true;
  }

  #end(now: number): void {
    this.#page = NO_ROUND;
    this.#endedAt = now;
    // In less than a millisecond nothing more expires.
    this.#nextAt = now + Math.max(1, this.#pagesInVain * PAUSE_PER_PAGE_MS);
    if (this.#looksAtAll) this.#reclaimedInvalidation = this.#invalidation;
  }
}
