import { BUCKET_SLOTS, CAUSE, CONTROL, COUNTER, SHARD, SLOT_SHIFT } from '../memory/layout.js';
import { noteEventLocked } from './events.js';
import { causeLocked } from './leave.js';
import type { Shard } from './shard.js';

/**
 * Empties the shard. Too much to journal: a flag says that a clear was begun, and whoever takes the lock from a thread
 * that died in between begins it again. Every store here leads towards empty, so beginning again is always right.
 */
export function clearLocked(shard: Shard): void {
  const m = shard.words;
  const g = shard.memory.geometry;
  const begunBefore = m[SHARD.clearing] !== 0;
  m[SHARD.clearing] = 1;
  if (!begunBefore) tellLocked(shard);
  for (let word = g.changesWord; word < g.eventsWord; word++) m[word]++;
  m.fill(0, g.bucketsWord, g.linksWord);
  shard.heap.reset();
  shard.policy.resetLocked();
  m[SHARD.pending] = 0;
  m[SHARD.dying] = 0;
  m[SHARD.entries] = 0;
  m[SHARD.past] = 0;
  m[SHARD.clearing] = 0;
}

/**
 * Counts what leaves, and tells each entry to those who listen. Without a listener nobody looks at the entries: those that
 * were over and not yet reclaimed count as cleared too.
 */
function tellLocked(shard: Shard): void {
  const { memory, words: m, counters } = shard;
  if (shard.control[CONTROL.listening] === 0) {
    counters[COUNTER.left + CAUSE.cleared] += m[SHARD.entries];
    return;
  }
  for (let bucket = 0; bucket < shard.bucketCount; bucket++) {
    for (let place = 0; place < BUCKET_SLOTS; place++) {
      const ref = m[memory.refWord((bucket << SLOT_SHIFT) | place)];
      if (!shard.heap.isBlock(ref)) continue;
      const cause = causeLocked(shard, ref, CAUSE.cleared);
      noteEventLocked(shard, ref, cause);
      memory.commit();
      counters[COUNTER.left + cause]++;
    }
  }
}
