/** Every policy under random operations: lists whole, journal within its bound, a victim always found, bounds exact. */

import t from 'tap';
import { seededRandom } from '../../bench/workloads/random.js';
import { policies } from '../../src/policy/index.js';
import type { EvictionPolicy, PolicyFactory } from '../../src/policy/policy.js';
import { hashOf, PolicyTable } from '../fixtures/policy-table.js';

const SEED = Number(process.env.SEED ?? Date.now() % 1e9);
const OPERATIONS = 30_000;
const KEYS = 400;
t.comment(`SEED=${SEED}`);

function churn(factory: PolicyFactory, entries: number, shards: number): string[] {
  const table = new PolicyTable(factory, { entries, shards, seed: SEED });
  const random = seededRandom(SEED);
  for (let i = 0; i < OPERATIONS; i++) {
    // The square favours small keys, so that some are hit often.
    const key = Math.floor(random() ** 2 * KEYS);
    const shard = table.shardOf(hashOf(key, SEED));
    const what = random();
    if (what < 0.85) table.access(key);
    else if (what < 0.92) shard.update(key);
    else if (what < 0.99) shard.remove(key);
    else if (what < 0.999) {
      if (shard.entryCount() > 0) shard.evict();
    } else shard.clear();
    if (shard.entryCount() > shard.capacityEntries) return [`${shard.entryCount()} entries`];
    if (i % 1000 === 0 && table.problems().length > 0) break;
  }
  return table.problems();
}

for (const factory of Object.values(policies)) {
  for (const [entries, shards] of [
    [1, 1],
    [2, 1],
    [7, 2],
    [100, 1],
    [300, 4],
  ] as const) {
    t.same(churn(factory, entries, shards), [], `${factory.name}, ${entries} entries, ${shards} shards`);
  }
}

t.test('a policy that forgets to unlink is found out', async (t) => {
  const forgetful: PolicyFactory = {
    ...policies['s3-fifo'],
    create(memory, shared) {
      const policy: EvictionPolicy = policies['s3-fifo'].create(memory, shared);
      policy.removeLocked = () => {};
      return policy;
    },
  };
  const table = new PolicyTable(forgetful, { entries: 100 });
  for (let key = 0; key < 50; key++) table.access(key);
  table.shards[0]?.remove(7);
  t.not(table.problems().length, 0);
});

/** Evicts a quarter of a table whose entries were all hit, so that a policy would rather keep each: how many were not over. */
function liveVictims(factory: PolicyFactory, entries: number, isOver: (key: number) => boolean): number {
  const table = new PolicyTable(factory, { entries, seed: SEED });
  const [shard] = table.shards;
  if (shard === undefined) throw new Error('no shard');
  const keys = Array.from({ length: entries }, (_, key) => key);
  for (let uses = 0; uses < 4; uses++) for (const key of keys) table.access(key);
  for (const key of keys) if (isOver(key)) shard.over.add(key);
  for (let i = 0; i < entries / 4; i++) shard.evict();
  t.same(table.problems(), []);
  return keys.filter((key) => !isOver(key) && !shard.has(key)).length;
}

t.test('a victim search that meets an entry that is over evicts it, however often it was hit', async (t) => {
  for (const factory of Object.values(policies)) {
    if (factory.name === 'fifo') continue;
    for (const entries of [10, 64, 100]) {
      t.equal(
        liveVictims(factory, entries, (key) => key % 2 === 1),
        0,
        `${factory.name}, ${entries} entries`,
      );
      t.ok(liveVictims(factory, entries, () => false) > 0, 'it evicts others if none is over');
    }
  }
});
