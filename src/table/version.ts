import type { KeyEncoder } from '../codec/key.js';
import { NO_SLOT } from './buckets.js';
import { versionAt } from './entry.js';
import { findLiveLocked } from './leave.js';
import type { Shard } from './shard.js';

/** No entry has it: the first write of a shard is number 1. */
export const ABSENT = 0;

/**
 * The version of the key's live entry, ABSENT when there is none. Every write of a shard has a number of its own, so an
 * equal version means that nothing was written in between: what a compare-and-swap compares, instead of the values.
 */
export function versionLocked(shard: Shard, key: KeyEncoder): number {
  const slot = findLiveLocked(shard, key);
  return slot === NO_SLOT ? ABSENT : versionAt(shard.words, shard.entryWord(slot));
}
