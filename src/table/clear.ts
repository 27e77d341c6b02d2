import { SHARD } from '../memory/layout.js';
import type { Shard } from './shard.js';

/**
 * Empties the shard. Too much to journal: a flag says that a clear was begun, and whoever takes the lock from a thread
 * that died in between begins it again. Every store here leads towards empty, so beginning again is always right.
 */
export function clearLocked(shard: Shard): void {
  const m = shard.words;
  const g = shard.memory.geometry;
  m[SHARD.clearing] = 1;
  for (let word = g.changesWord; word < g.bucketsWord; word++) m[word]++;
  m.fill(0, g.bucketsWord, g.linksWord);
  shard.heap.reset();
  shard.policy.resetLocked();
  m[SHARD.pending] = 0;
  m[SHARD.dying] = 0;
  m[SHARD.entries] = 0;
  m[SHARD.clearing] = 0;
}
