import type { KeyEncoder } from '../codec/key.js';
import { ValueKind } from '../codec/kinds.js';
import type { ValueEncoder } from '../codec/value.js';
import { ENTRY } from '../memory/layout.js';
import type { Clock } from '../sync/clock.js';
import { readChained } from './chain.js';
import { isChained, keyBytesOf, kindOf, paddedToWord } from './entry.js';
import { findSlot, NO_SLOT } from './index.js';
import { putLocked } from './put.js';
import { removeSlotLocked } from './remove.js';
import type { Shard } from './shard.js';

const double = new Float64Array(1);
const doubleWords = new Int32Array(double.buffer);
const doubleBytes = Buffer.from(double.buffer);

/**
 * Adds to the number under the key, in place: two journaled words. An absent or expired key is stored as `by` with the given
 * expiry. `'mismatch'`: the entry is not a number. `'refused'`: there was no room.
 */
export function incrementLocked(
  shard: Shard,
  key: KeyEncoder,
  by: number,
  value: ValueEncoder,
  expiresAt: number,
  clock: Clock,
): number | 'mismatch' | 'refused' {
  const { memory, words: m } = shard;
  const slot = findSlot(shard, key);
  if (slot === NO_SLOT || clock.hasExpired(memory.expiresAt(slot))) {
    if (slot !== NO_SLOT) removeSlotLocked(shard, slot, false);
    value.encode(by);
    return putLocked(shard, key, value, expiresAt, clock) === NO_SLOT ? 'refused' : by;
  }
  const word = shard.entryWord(slot);
  const meta = m[word + ENTRY.meta];
  if (kindOf(meta) !== ValueKind.float64 || m[word + ENTRY.valueBytes] !== 8) return 'mismatch';
  if (isChained(meta)) return incrementChainedLocked(shard, slot, key, by, value, clock);
  const at = word + ENTRY.headWords + (paddedToWord(keyBytesOf(meta)) >> 2);
  doubleWords[0] = m[at];
  doubleWords[1] = m[at + 1];
  double[0] += by;
  memory.noteChange(key.hash);
  memory.set(at, doubleWords[0]);
  memory.set(at + 1, doubleWords[1]);
  shard.policy.updateLocked(slot, key.hash);
  memory.commit();
  return double[0];
}

/** A key so long that its entry is a chain: rewritten as a put does. */
function incrementChainedLocked(
  shard: Shard,
  slot: number,
  key: KeyEncoder,
  by: number,
  value: ValueEncoder,
  clock: Clock,
): number | 'refused' {
  const { memory, words: m } = shard;
  if (!readChained(shard, m[memory.refWord(slot)], paddedToWord(key.lengthBytes), doubleBytes, 8)) return 'refused';
  const sum = double[0] + by;
  value.encode(sum);
  return putLocked(shard, key, value, memory.expiresAt(slot), clock) === NO_SLOT ? 'refused' : sum;
}

/** Gives a live entry a new expiry. */
export function touchLocked(shard: Shard, key: KeyEncoder, expiresAt: number, clock: Clock): boolean {
  const { memory } = shard;
  const slot = findSlot(shard, key);
  if (slot === NO_SLOT || clock.hasExpired(memory.expiresAt(slot))) return false;
  shard.heap.noteExpiry(shard.words[memory.refWord(slot)], expiresAt);
  const word = shard.entryWord(slot);
  double[0] = expiresAt;
  memory.noteChange(key.hash);
  memory.set(word + ENTRY.expiresAt, doubleWords[0]);
  memory.set(word + ENTRY.expiresAt + 1, doubleWords[1]);
  memory.commit();
  return true;
}
