/** With up to 64 entries a shard, `lru` gives the answers of an exact LRU, one by one: as a policy and as a cache. */

import t from 'tap';
import { seededRandom } from '../../bench/workloads/random.js';
import { type EvictionName, SharedCache } from '../../src/index.js';
import { policies } from '../../src/policy/index.js';
import type { PolicyFactory } from '../../src/policy/policy.js';
import { hashOf, PolicyTable } from '../fixtures/policy-table.js';

const SEED = Number(process.env.SEED ?? Date.now() % 1e9);
const OPERATIONS = 4_000;
const MOST_EXACT = 64;
t.comment(`SEED=${SEED}`);

/** A Map keeps insertion order: its first key was used longest ago. */
class ExactLru {
  readonly #held = new Map<number, number>();
  readonly #entries: number;

  constructor(entries: number) {
    this.#entries = entries;
  }

  get(key: number): number | undefined {
    const value = this.#held.get(key);
    if (value !== undefined) this.put(key, value);
    return value;
  }

  put(key: number, value: number): void {
    this.#held.delete(key);
    if (this.#held.size >= this.#entries) this.#held.delete(this.#held.keys().next().value as number);
    this.#held.set(key, value);
  }

  delete(key: number): void {
    this.#held.delete(key);
  }

  clear(): void {
    this.#held.clear();
  }
}

/** How many answers of a policy differ from an exact LRU's; each shard is compared with one of its own. */
function differencesOfPolicy(factory: PolicyFactory, entries: number, shards: number): number {
  const table = new PolicyTable(factory, { entries, shards, seed: SEED });
  const exact = new Map(table.shards.map((shard) => [shard, new ExactLru(shard.capacityEntries)]));
  const random = seededRandom(SEED + entries);
  let differences = 0;
  for (let i = 0; i < OPERATIONS; i++) {
    const key = Math.floor(random() ** 2 * entries * 3);
    const hash = hashOf(key, SEED);
    const shard = table.shardOf(hash);
    const reference = exact.get(shard) as ExactLru;
    const what = random();
    if (what < 0.9) {
      const expected = reference.get(key) !== undefined;
      if (!expected) reference.put(key, 1);
      if (table.access(key) !== expected) differences++;
    } else if (what < 0.95) {
      if (shard.has(key)) reference.put(key, 1);
      shard.update(key);
    } else if (what < 0.999) {
      reference.delete(key);
      shard.remove(key);
    } else {
      reference.clear();
      shard.clear();
    }
  }
  const problems = table.problems();
  if (problems.length > 0) throw new Error(problems.join('; '));
  return differences;
}

/** How many answers of a cache of one shard differ from an exact LRU's. */
function differencesOfCache(eviction: EvictionName, entries: number): number {
  const cache = new SharedCache<number>({ maxBytes: '1MB', maxEntries: entries, eviction, shards: 1, sweep: false });
  const exact = new ExactLru(entries);
  const random = seededRandom(SEED + entries);
  let differences = 0;
  for (let i = 0; i < OPERATIONS; i++) {
    const key = Math.floor(random() ** 2 * entries * 3);
    const what = random();
    if (what < 0.7) {
      if (cache.get(`k${key}`) !== exact.get(key)) differences++;
    } else if (what < 0.98) {
      exact.put(key, i);
      cache.put(`k${key}`, i);
    } else {
      exact.delete(key);
      cache.delete(`k${key}`);
    }
  }
  const { problems } = cache.inspect();
  cache.close();
  if (problems.length > 0) throw new Error(problems.join('; '));
  return differences;
}

t.test('the policy, with one shard and with several', async (t) => {
  for (let entries = 1; entries <= MOST_EXACT; entries++) {
    t.equal(differencesOfPolicy(policies.lru, entries, 1), 0, `${entries} entries`);
  }
  for (const [entries, shards] of [
    [8, 8],
    [100, 2],
    [256, 4],
    [300, 8],
    [300, 128],
  ] as const) {
    t.equal(differencesOfPolicy(policies.lru, entries, shards), 0, `${entries} entries in ${shards} shards`);
  }
});

t.test('the cache, whose near-cache serves most hits', async (t) => {
  for (let entries = 1; entries <= MOST_EXACT; entries++) {
    t.equal(differencesOfCache('lru', entries), 0, `${entries} entries`);
  }
});

t.test('the comparison sees policies that are no exact LRU', async (t) => {
  t.ok(differencesOfPolicy(policies.fifo, 8, 1) > 0, 'fifo');
  t.ok(differencesOfCache('fifo', 8) > 0, 'fifo, as a cache');
  t.ok(differencesOfPolicy(policies.lru, 200, 1) > 0, 'lru of many entries, which is exact to 4 %');
});

t.test('the order holds when the clock of uses wraps around', async (t) => {
  const table = new PolicyTable(policies.lru, { entries: 4, seed: SEED });
  const [shard] = table.shards;
  if (shard === undefined) throw new Error('no shard');
  shard.words[shard.areaWord] = -4;
  for (const key of [1, 2, 3, 4, 1, 2]) table.access(key);
  table.access(5);
  table.access(6);
  t.same(
    [1, 2, 3, 4, 5, 6].filter((key) => shard.has(key)),
    [1, 2, 5, 6],
  );
});
