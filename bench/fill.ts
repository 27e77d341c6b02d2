/**
 * Fills a large cache with small entries until most puts evict, then reads every entry back and walks the whole structure.
 *
 *   node dist/bench/fill.js [size, default 8GB]
 *
 * Needs the memory it fills. Fails when an entry is missing without having been evicted, when a value is not the one that
 * was put, when the walk finds a problem, or when an entry of 20 bytes of key and 100 of value costs more than 200 bytes.
 */
import assert from 'node:assert/strict';
import { SharedCache } from '../src/index.js';

const MOST_BYTES_PER_ENTRY = 200;
/** Puts between two looks at the eviction count. */
const BATCH = 200_000;

const keyOf = (i: number): string => `key:${String(i).padStart(16, '0')}`;
const textOf = (i: number): string => `${i}:`.padEnd(100, String.fromCharCode(97 + (i % 26)));

const secondsSince = (start: number): string => ((performance.now() - start) / 1000).toFixed(1);

const maxBytes = process.argv[2] ?? '8GB';
const cache = new SharedCache<string>({ maxBytes, ttl: Number.POSITIVE_INFINITY, sweep: false });

const fillStart = performance.now();
let puts = 0;
// Full once most puts evict: the first eviction may only mean that one stretch of the index was crowded.
for (let evicted = 0; evicted < BATCH / 2; ) {
  const before = cache.getStats().evictions;
  for (const end = puts + BATCH; puts < end; puts++)
    assert(cache.put(keyOf(puts), textOf(puts)), `put ${puts} was refused`);
  evicted = cache.getStats().evictions - before;
}
const stats = cache.getStats();
console.log(
  `filled ${maxBytes}: ${puts} puts, ${stats.totalObjects} entries, ${stats.evictions} evicted, in ${secondsSince(fillStart)} s`,
);

const verifyStart = performance.now();
let absent = 0;
for (let i = 0; i < puts; i++) {
  const value = cache.peek(keyOf(i));
  if (value === undefined) absent++;
  else if (value !== textOf(i)) assert.fail(`${keyOf(i)} has the value ${value}`);
}
assert.equal(absent, stats.evictions, 'an entry is missing that was not evicted');
assert.equal(puts - absent, stats.totalObjects);
console.log(`verified ${puts - absent} values in ${secondsSince(verifyStart)} s`);

const walkStart = performance.now();
assert.deepEqual(cache.inspect().problems, []);
console.log(`walked the structure in ${secondsSince(walkStart)} s`);

const { control, segments } = cache.handle.buffers;
const allocated = segments.reduce((sum, segment) => sum + segment.byteLength, control.byteLength);
const bookkept = stats.memoryUsage / stats.totalObjects;
const whole = allocated / stats.totalObjects;
console.log(`an entry of 20 bytes of key and 100 of value: ${bookkept.toFixed(1)} bytes with its bookkeeping,`);
console.log(
  `${whole.toFixed(1)} bytes as its share of all shared memory (${allocated} bytes in ${segments.length + 1} buffers)`,
);
cache.close();
assert(whole <= MOST_BYTES_PER_ENTRY, `more than ${MOST_BYTES_PER_ENTRY} bytes an entry`);
