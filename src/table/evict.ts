import { BUCKET_SLOTS, CAUSE, MAX_PROBE, SLOT_SHIFT } from '../memory/layout.js';
import { MAX_EVICTION_STEPS } from '../policy/policy.js';
import { monotonicMs } from '../sync/monotonic.js';
import { isFilled, NO_SLOT } from './buckets.js';
import { clearLocked } from './clear.js';
import { leaveLocked } from './leave.js';
import type { Shard } from './shard.js';

/**
 * Makes room: removes entries that are over if some are found at little cost, else evicts one of the policy's choice. Call
 * only while the shard has an entry; bounded by MAX_EVICTION_STEPS.
 */
export function evictOneLocked(shard: Shard): void {
  const due = shard.timing === undefined ? 0 : shard.timing.due();
  const start = due === 0 ? 0 : monotonicMs();
  runEvictionLocked(shard);
  if (due !== 0) shard.timing?.recordEviction(start, due);
}

function runEvictionLocked(shard: Shard): void {
  if (shard.reclaimer.reclaimLocked(shard)) return;
  for (let step = 0; step < MAX_EVICTION_STEPS; step++) {
    const slot = shard.policy.victimLocked(step);
    if (slot === NO_SLOT) {
      shard.memory.commit();
      continue;
    }
    if (!isFilled(shard, slot)) break;
    leaveLocked(shard, slot, CAUSE.evicted);
    return;
  }
  // The policy's lists make no sense: somebody wrote over them. An empty cache is a correct one.
  clearLocked(shard);
}

/** Empties a slot of a probe path that is full: that of an entry that is over, else the first one. */
export function evictFromPathLocked(shard: Shard, hash: number): void {
  const home = shard.homeBucket(hash);
  let victim = home << SLOT_SHIFT;
  for (let i = 0; i < MAX_PROBE * BUCKET_SLOTS; i++) {
    const bucket = (home + Math.floor(i / BUCKET_SLOTS)) % shard.bucketCount;
    const slot = (bucket << SLOT_SHIFT) | (i % BUCKET_SLOTS);
    if (!isFilled(shard, slot) || !shard.memory.isOver(slot)) continue;
    victim = slot;
    break;
  }
  leaveLocked(shard, victim, CAUSE.evicted);
}
