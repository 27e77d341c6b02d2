import type { KeyEncoder } from '../codec/key.js';
import { findSlot, NO_SLOT } from './buckets.js';
import { versionAt, wordOf } from './entry.js';
import { overLocked } from './leave.js';
import type { Shard } from './shard.js';

/** No entry has it: the first write of a shard is number 1. */
export const ABSENT = 0;

/**
 * The version of the key's live entry, ABSENT when there is none. Every write of a shard has a number of its own, so an
 * equal version means that nothing was written in between: what a compare-and-swap compares, instead of the values.
 */
export function versionLocked(shard: Shard, key: KeyEncoder): number {
  const slot = findSlot(shard, key);
  const ref = slot === NO_SLOT ? 0 : shard.words[shard.memory.refWord(slot)];
  return ref === 0 || overLocked(shard, ref) !== undefined ? ABSENT : versionAt(shard.words, wordOf(ref));
}
