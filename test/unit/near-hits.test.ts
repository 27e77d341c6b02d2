/** What a thread keeps near must not keep the policy from hearing who was hit, whatever was evicted and put again. */
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
