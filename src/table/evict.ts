import { CAUSE } from '../memory/layout.js';
import { MAX_EVICTION_STEPS } from '../policy/policy.js';
import { monotonicMs } from '../sync/monotonic.js';
import { isFilled, NO_SLOT } from './buckets.js';
import { clearLocked } from './clear.js';
import { causeLocked, leaveLocked } from './leave.js';
import type { Shard } from './shard.js';

/** Evicts one entry of the policy's choice. Call only while the shard has one; bounded by MAX_EVICTION_STEPS. */
export function evictOneLocked(shard: Shard): void {
  const due = shard.timing === undefined ? 0 : shard.timing.due();
  const start = due === 0 ? 0 : monotonicMs();
  runEvictionLocked(shard);
  if (due !== 0) shard.timing?.recordEviction(start, due);
}

function runEvictionLocked(shard: Shard): void {
  for (let step = 0; step < MAX_EVICTION_STEPS; step++) {
    const slot = shard.policy.victimLocked(step);
    if (slot === NO_SLOT) {
      shard.memory.commit();
      continue;
    }
    if (!isFilled(shard, slot)) break;
    evictSlotLocked(shard, slot);
    return;
  }
  // The policy's lists make no sense: somebody wrote over them. An empty cache is a correct one.
  clearLocked(shard);
}

export function evictSlotLocked(shard: Shard, slot: number): void {
  leaveLocked(shard, slot, causeLocked(shard, shard.words[shard.memory.refWord(slot)], CAUSE.evicted));
}
