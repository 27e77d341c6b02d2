import type { KeyEncoder } from '../codec/key.js';
import { CAUSE, CONTROL, COUNTER, ENTRY, META_EXTENDED, META_PAST, SHARD } from '../memory/layout.js';
import { STALENESS_MS } from '../sync/clock.js';
import { countPassedLocked, findSlot, NO_SLOT } from './buckets.js';
import type { Draft } from './draft.js';
import { expiryAt, isChained, isExtended, wordOf } from './entry.js';
import { noteEventLocked } from './events.js';
import { ExtrasCopy, graceEndOf, MAX_HASHED_BYTES, readExtras } from './extras.js';
import type { Shard } from './shard.js';
import { Fate } from './tags.js';

/**
 * The one way out for entries. Whatever leaves the table leaves through here, so counters, events and what hangs on them
 * cannot be forgotten: an entry is taken out of its slot (`leaveLocked`), or another takes its place (`replacedLocked`).
 */

/**
 * Takes the slot's entry out of the table: one transaction, then the rest of its chain if it has one. Returns the cause:
 * `otherwise`, or why the entry was over already.
 */
export function leaveLocked(shard: Shard, slot: number, otherwise: number): number {
  const { memory, words: m } = shard;
  const refWord = memory.refWord(slot);
  const ref = m[refWord];
  const word = wordOf(ref);
  const cause = causeLocked(shard, ref, otherwise);
  const hash = memory.hashOf(slot);
  memory.noteChange(hash);
  noteEventLocked(shard, ref, cause);
  shard.policy.removeLocked(slot, cause === CAUSE.evicted);
  if (isChained(m[word + ENTRY.meta])) memory.set(SHARD.dying, m[word + ENTRY.next]);
  if ((m[word + ENTRY.meta] & META_PAST) !== 0) memory.add(SHARD.past, -1);
  countPassedLocked(shard, hash, slot, -1);
  memory.set(refWord, 0);
  memory.add(SHARD.entries, -1);
  shard.heap.free(ref);
  memory.commit();
  shard.counters[COUNTER.left + cause]++;
  if (m[SHARD.dying] !== 0) shard.drainLocked(SHARD.dying);
  return cause;
}

/** Tells that the entry gives its place to another of the same key. Part of the transaction that replaces it. */
export function replacedLocked(shard: Shard, ref: number, draft: Draft): void {
  const m = shard.words;
  const word = wordOf(ref);
  // Nearly always: an entry without tags that is surely live, and nobody listens. The write has asked the clock already.
  const isPlain = (m[word + ENTRY.meta] & (META_EXTENDED | META_PAST)) === 0;
  if (isPlain && expiryAt(m, word) - draft.begunAt >= STALENESS_MS && shard.control[CONTROL.listening] === 0)
    shard.counters[COUNTER.left + CAUSE.replaced]++;
  else findOutReplacedLocked(shard, ref);
}

function findOutReplacedLocked(shard: Shard, ref: number): void {
  const cause = causeLocked(shard, ref, CAUSE.replaced);
  noteEventLocked(shard, ref, cause);
  if ((shard.words[wordOf(ref) + ENTRY.meta] & META_PAST) !== 0) shard.memory.add(SHARD.past, -1);
  shard.counters[COUNTER.left + cause]++;
}

/** Why the entry leaves: because it was over already, and else by the cause given. Counts what tags have ended. */
export function causeLocked(shard: Shard, ref: number, otherwise: number): number {
  const over = overLocked(shard, ref);
  if (over === CAUSE.invalidated || over === CAUSE.cleared) shard.counters[COUNTER.invalidations]++;
  return over ?? otherwise;
}

/** By what the entry is over: expired, or ended by a tag's or a namespace's invalidation; undefined while it is live. */
export function overLocked(shard: Shard, ref: number): number | undefined {
  const m = shard.words;
  const word = wordOf(ref);
  if (isExtended(m[word + ENTRY.meta])) {
    const fate = fateLocked(shard, ref);
    if (fate !== Fate.none) return fate === Fate.cleared ? CAUSE.cleared : CAUSE.invalidated;
  }
  return shard.clock.hasExpired(expiryAt(m, word)) ? CAUSE.expired : undefined;
}

export function isOverLocked(shard: Shard, slot: number): boolean {
  return overLocked(shard, shard.words[shard.memory.refWord(slot)]) !== undefined;
}

/** The slot of the key's live entry, NO_SLOT when there is none. */
export function findLiveLocked(shard: Shard, key: KeyEncoder): number {
  const slot = findSlot(shard, key);
  return slot === NO_SLOT || isOverLocked(shard, slot) ? NO_SLOT : slot;
}

const extras = new ExtrasCopy(MAX_HASHED_BYTES);

function fateLocked(shard: Shard, ref: number): Fate {
  return readExtras(shard, ref, extras) ? shard.tags.fate(extras.words) : Fate.none;
}

/** Until when an entry is kept: its expiry, or the end of its grace period. */
export function endLocked(shard: Shard, ref: number): number {
  const m = shard.words;
  const expiresAt = expiryAt(m, wordOf(ref));
  if (!isExtended(m[wordOf(ref) + ENTRY.meta]) || !readExtras(shard, ref, extras)) return expiresAt;
  return Math.max(expiresAt, graceEndOf(extras.words));
}

/** When the sweep has to do with the entry next: at its expiry, and once that is past, at its end. */
export function dueLocked(shard: Shard, ref: number): number {
  const m = shard.words;
  return (m[wordOf(ref) + ENTRY.meta] & META_PAST) === 0 ? expiryAt(m, wordOf(ref)) : endLocked(shard, ref);
}
