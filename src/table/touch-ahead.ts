import { BUCKET_REFS, BUCKET_SLOTS, SHARD } from '../memory/layout.js';
import { wordOf } from './entry.js';
import { encodeIn, type Space } from './space.js';
import type { Table } from './table.js';

/** Keys whose memory is fetched together: more than a processor waits for at a time, few enough to stay in its caches. */
export const GROUP = 64;
/** With fewer entries most of what is read is in the processor's caches already. */
const LEAST_ENTRIES = 50_000;
/** Words of a cache line; an entry of 100 bytes lies in three. */
const LINE_WORDS = 16;

const hashes = new Int32Array(GROUP);
const buckets = new Int32Array(GROUP);
/** What came of the loads, so that the compiler cannot leave them out. */
const sink = new Int32Array(1);

/**
 * Group prefetching: looks at the buckets of keys `from` to `end`, and then at their entries, asking for the next before the
 * last has come. So the processor fetches them from memory side by side, and the reads that follow find them in its caches.
 * Nothing depends on what is seen here, so it may be changing meanwhile. For at most GROUP keys.
 *
 * Source: Chen, Ailamaki, Gibbons and Mowry, "Improving Hash Join Performance through Prefetching", ICDE 2004.
 */
export function touchAhead(table: Table, space: Space, keys: readonly string[], from: number, end: number): void {
  const { shards, key } = table;
  if (shards[0].words[SHARD.entries] * shards.length < LEAST_ENTRIES) return;
  const count = end - from;
  let seen = 0;
  for (let i = 0; i < count; i++) {
    encodeIn(space, keys[from + i], key);
    hashes[i] = key.hash;
  }
  for (let i = 0; i < count; i++) {
    const shard = table.shardOf(hashes[i]);
    buckets[i] = shard.bucketWord(shard.homeBucket(hashes[i]));
    seen ^= shard.words[buckets[i]];
  }
  for (let i = 0; i < count; i++) {
    const m = table.shardOf(hashes[i]).words;
    const base = buckets[i];
    for (let place = 0; place < BUCKET_SLOTS; place++) {
      if (m[base + place] !== hashes[i]) continue;
      const word = wordOf(m[base + BUCKET_REFS + place]);
      seen ^= m[word] ^ m[word + LINE_WORDS] ^ m[word + 2 * LINE_WORDS];
      break;
    }
  }
  sink[0] ^= seen;
}
