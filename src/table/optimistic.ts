import { SHARD } from '../memory/layout.js';
import { readFence } from '../sync/seqlock.js';
import type { Shard } from './shard.js';

/** Optimistic attempts before a reader takes the lock: more than a writer's critical section lasts on a free core. */
export const ATTEMPTS = 64;

/**
 * What `copy` makes of the shard while nobody writes: without the lock, and believed if the lock word is still the same
 * afterwards; after too many writers in between, or a dead one, under the lock. `copy` is given the lock word, may run more
 * than once, and must be safe against any writer. `unavailable` when the lock timed out.
 */
export function readConsistently<T>(shard: Shard, unavailable: T, copy: (version: number) => T): T {
  const m = shard.words;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const version = Atomics.load(m, SHARD.lock);
    if (version < 0) continue;
    const result = copy(version);
    readFence();
    if (Atomics.load(m, SHARD.lock) === version) return result;
  }
  return shard.locked(unavailable, () => copy(shard.lockWord()));
}
