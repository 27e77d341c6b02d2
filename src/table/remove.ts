import type { KeyEncoder } from '../codec/key.js';
import { COUNTER, ENTRY, SHARD } from '../memory/layout.js';
import { MAX_EVICTION_STEPS } from '../policy/policy.js';
import type { Clock } from '../sync/clock.js';
import { clearLocked } from './clear.js';
import { isChained } from './entry.js';
import { countPassedLocked, findSlot, isFilled, NO_SLOT } from './index.js';
import type { Shard } from './shard.js';

/** Takes the slot's entry out of the table: one transaction, then the rest of its chain if it has one. */
export function removeSlotLocked(shard: Shard, slot: number, evicted: boolean): void {
  const { memory, words: m } = shard;
  const refWord = memory.refWord(slot);
  const ref = m[refWord];
  const word = shard.entryWord(slot);
  const hash = m[word + ENTRY.hash];
  memory.noteChange(hash);
  shard.policy.removeLocked(slot, evicted);
  if (isChained(m[word + ENTRY.meta])) memory.set(SHARD.dying, m[word + ENTRY.next]);
  countPassedLocked(shard, hash, slot, -1);
  memory.set(refWord, 0);
  memory.add(SHARD.entries, -1);
  shard.heap.free(ref);
  memory.commit();
  if (m[SHARD.dying] !== 0) shard.drainLocked(SHARD.dying);
}

/** Evicts one entry of the policy's choice. Call only while the shard has one; bounded by MAX_EVICTION_STEPS. */
export function evictOneLocked(shard: Shard, clock: Clock): void {
  const due = shard.timing === undefined ? 0 : shard.timing.due();
  const start = due === 0 ? 0 : performance.now();
  runEvictionLocked(shard, clock);
  if (due !== 0) shard.timing?.recordEviction(start, due);
}

function runEvictionLocked(shard: Shard, clock: Clock): void {
  for (let step = 0; step < MAX_EVICTION_STEPS; step++) {
    const slot = shard.policy.victimLocked(step);
    if (slot === NO_SLOT) {
      shard.memory.commit();
      continue;
    }
    if (!isFilled(shard, slot)) break;
    evictSlotLocked(shard, slot, clock);
    return;
  }
  // The policy's lists make no sense: somebody wrote over them. An empty cache is a correct one.
  clearLocked(shard);
}

export function evictSlotLocked(shard: Shard, slot: number, clock: Clock): void {
  const expired = clock.hasExpired(shard.memory.expiresAt(slot));
  removeSlotLocked(shard, slot, true);
  shard.counters[expired ? COUNTER.expirations : COUNTER.evictions]++;
}

/** Removes the key's entry. True when it was there and had not expired. */
export function removeLocked(shard: Shard, key: KeyEncoder, clock: Clock): boolean {
  const slot = findSlot(shard, key);
  if (slot === NO_SLOT) return false;
  const expired = clock.hasExpired(shard.memory.expiresAt(slot));
  removeSlotLocked(shard, slot, false);
  shard.counters[expired ? COUNTER.expirations : COUNTER.deletes]++;
  return !expired;
}
