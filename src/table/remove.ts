import type { KeyEncoder } from '../codec/key.js';
import { CAUSE } from '../memory/layout.js';
import { findSlot, NO_SLOT } from './buckets.js';
import { isOverLocked, leaveLocked } from './leave.js';
import { type Reading, snapshotEntry } from './read.js';
import type { Shard } from './shard.js';

/** Removes the key's entry. True when it was there and live. */
export function removeLocked(shard: Shard, key: KeyEncoder, cause: number = CAUSE.deleted): boolean {
  const slot = findSlot(shard, key);
  return slot !== NO_SLOT && leaveLocked(shard, slot, cause) === cause;
}

/** Removes the key's live entry and leaves what it was in the reading. False when there is none. */
export function takeLocked(shard: Shard, key: KeyEncoder, into: Reading): boolean {
  const slot = findSlot(shard, key);
  const ref = slot === NO_SLOT ? 0 : shard.words[shard.memory.refWord(slot)];
  if (ref === 0 || !snapshotEntry(shard, ref, into, true, shard.lockWord())) return false;
  return removeLocked(shard, key);
}

/** Removes the key's entry if a tag or a namespace has ended it: what a reader came upon. */
export function reclaimLocked(shard: Shard, key: KeyEncoder): void {
  const slot = findSlot(shard, key);
  if (slot !== NO_SLOT && isOverLocked(shard, slot)) leaveLocked(shard, slot, CAUSE.deleted);
}
