/** A thread's near-cache must not hide from the policy who was hit, whatever was evicted and put again. */

import { SharedCache } from 'mooncake-cache';
import t from 'tap';
import { exactLru } from '../../bench/hitratio/references.js';
import { replay } from '../../bench/hitratio/replay.js';
import type { Trace } from '../../bench/hitratio/trace.js';

const ENTRIES = 500;
const HOT_KEYS = 100;
const PHASES = 10;

/** In each phase as many new keys as push everything out, then hot keys in turn, and between any two of them a new one. */
function flushedAgainAndAgain(): Trace {
  const requests: number[] = [];
  let next = HOT_KEYS;
  for (let phase = 0; phase < PHASES; phase++) {
    for (let i = 0; i < 2 * ENTRIES; i++) requests.push(next++);
    for (let i = 0; i < 4 * ENTRIES; i++) requests.push(i % HOT_KEYS, next++);
  }
  const keys = Array.from({ length: next }, (_, i) => `key ${i}`);
  return { name: 'flushed', requests: Int32Array.from(requests), keys };
}

const trace = flushedAgainAndAgain();
const exact = exactLru(trace.requests, ENTRIES);
const reached = replay(trace, 'lru', ENTRIES, 1);
t.ok(Math.abs(reached - exact) < 0.5, `lru ${reached.toFixed(2)}, exact ${exact.toFixed(2)}`);

t.test('lfu counts every hit, though no new keys come between them', async (t) => {
  const entries = 5000;
  const cache = new SharedCache<number>({ maxEntries: entries, shards: 1, eviction: 'lfu', sweep: false });
  t.teardown(() => cache.close());
  cache.put('hot', 1);
  for (let i = 0; i < 50; i++) cache.get('hot');
  for (let i = 0; i < 2 * entries; i++) {
    cache.put(`key ${i}`, i);
    for (let uses = 0; uses < 7; uses++) cache.get(`key ${i}`);
  }
  t.ok(cache.has('hot'), 'the key with the most hits is still there');
});
