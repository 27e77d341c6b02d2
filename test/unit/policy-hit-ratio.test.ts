/** Hit ratios on made loads, against exact simulations: what each policy is for. */

import t from 'tap';
import { belady, exactFifo, exactLru, exactS3Fifo } from '../../bench/hitratio/references.js';
import { regimeChange } from '../../bench/hitratio/trace.js';
import { seededRandom } from '../../bench/workloads/random.js';
import { type EvictionName, policies } from '../../src/policy/index.js';
import { PolicyTable } from '../fixtures/policy-table.js';

const SEED = Number(process.env.SEED ?? Date.now() % 1e9);
t.comment(`SEED=${SEED}`);

function hitPercentage(policy: EvictionName, requests: Int32Array, entries: number, shards = 1): number {
  const table = new PolicyTable(policies[policy], { entries, shards, seed: SEED });
  let hits = 0;
  for (const key of requests) if (table.access(key)) hits++;
  return (100 * hits) / requests.length;
}

/** Popularity about 1 / rank over 100,000 keys, with every fifth request for a key never seen before or after. */
function skewed(length: number): Int32Array {
  const random = seededRandom(SEED);
  return Int32Array.from({ length }, (_, i) => (i % 5 === 0 ? 1e6 + i : Math.floor(100_000 ** random())));
}

const load = skewed(200_000);
const ENTRIES = 1000;
const lru = exactLru(load, ENTRIES);
const s3Fifo = exactS3Fifo(load, ENTRIES);
const optimum = belady(load, ENTRIES);

t.equal(hitPercentage('fifo', load, ENTRIES), exactFifo(load, ENTRIES), 'fifo is exact');

t.test('lru and s3-fifo are near their exact forms', async (t) => {
  t.ok(Math.abs(hitPercentage('lru', load, ENTRIES) - lru) < 1, `exact LRU ${lru}`);
  t.ok(Math.abs(hitPercentage('s3-fifo', load, ENTRIES) - s3Fifo) < 0.5, `exact S3-FIFO ${s3Fifo}`);
});

t.test('a mark byte that is never written makes an lru that is none', async (t) => {
  const deaf = {
    ...policies.lru,
    create: (...lent: Parameters<typeof policies.lru.create>) =>
      Object.assign(policies.lru.create(...lent), { hit: () => {} }),
  };
  const table = new PolicyTable(deaf, { entries: ENTRIES, seed: SEED });
  let hits = 0;
  for (const key of load) if (table.access(key)) hits++;
  t.ok(Math.abs((100 * hits) / load.length - lru) > 1);
});

t.test('adaptive is as good as the better of LRU and S3-FIFO, and below the optimum', async (t) => {
  for (const shards of [1, 4]) {
    const reached = hitPercentage('adaptive', load, ENTRIES, shards);
    t.ok(reached > Math.max(lru, s3Fifo) - 1, `${shards} shards: ${reached}, LRU ${lru}, S3-FIFO ${s3Fifo}`);
    t.ok(reached < optimum, `optimum ${optimum}`);
  }
});

t.test('adaptive follows a change of regime, s3-fifo and lru do not', async (t) => {
  const { requests } = regimeChange(512);
  const best = belady(requests, 512);
  t.ok(hitPercentage('adaptive', requests, 512) > 0.92 * best, `optimum ${best}`);
  t.ok(hitPercentage('lru', requests, 512) < 0.4 * best);
  t.ok(hitPercentage('s3-fifo', requests, 512) < 0.92 * best);
});

t.test('lfu keeps what was hit most', async (t) => {
  const table = new PolicyTable(policies.lfu, { entries: 100, seed: SEED });
  for (let key = 0; key < 50; key++) for (let i = 0; i < 10; i++) table.access(key);
  for (let key = 1000; key < 3000; key++) table.access(key);
  for (let key = 0; key < 50; key++) t.ok(table.shards[0]?.has(key), `key ${key}`);
});

t.test('lfu forgets favourites that are no longer hit', async (t) => {
  const table = new PolicyTable(policies.lfu, { entries: 100, seed: SEED });
  for (let key = 0; key < 50; key++) for (let i = 0; i < 10; i++) table.access(key);
  for (let key = 1000; key < 8000; key++) table.access(key);
  for (let key = 0; key < 50; key++) t.notOk(table.shards[0]?.has(key), `key ${key}`);
});

/** The keys 0 .. keys - 1 in turn. */
function loop(keys: number, length: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => i % keys);
}

t.test('lru keeps hitting in a loop a little longer than it is, an exact one does not', async (t) => {
  const requests = loop(1020, 50_000);
  t.equal(exactLru(requests, ENTRIES), 0);
  t.ok(hitPercentage('lru', requests, ENTRIES) > 25);
});

t.test('adaptive keeps most of what can be kept of a loop four times as long as it is', async (t) => {
  const requests = loop(4 * ENTRIES, 100_000);
  const best = belady(requests, ENTRIES);
  t.ok(hitPercentage('adaptive', requests, ENTRIES) > 0.7 * best, `optimum ${best}`);
});
