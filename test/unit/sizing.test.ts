import t from 'tap';
import { planSizes, type SizingRequest } from '../../src/memory/sizing.js';
import { policies } from '../../src/policy/index.js';

const MB = 2 ** 20;

function plan(
  request: Partial<SizingRequest>,
  eviction: keyof typeof policies = 'adaptive',
): ReturnType<typeof planSizes> {
  const { shardWords, globalWords } = policies[eviction];
  return planSizes({
    maxBytes: 64 * MB,
    maxEntries: undefined,
    shards: undefined,
    averageEntryBytes: 152,
    policyShardWords: shardWords,
    policyGlobalWords: globalWords,
    ...request,
  });
}

for (const eviction of Object.keys(policies) as (keyof typeof policies)[]) {
  t.test(`${eviction}: the bounds hold for every size from 1 MB to 16 GB`, (t) => {
    for (let maxBytes = MB; maxBytes <= 16_384 * MB; maxBytes = Math.floor(maxBytes * 1.37)) {
      const { shardCount, geometry, control, maxEntryBytes } = plan({ maxBytes }, eviction);
      const total = control.words * 4 + shardCount * geometry.words * 4;
      const name = `${(maxBytes / MB).toFixed(1)} MB`;
      t.ok(total <= maxBytes, `${name}: within the bound`);
      t.ok(total >= maxBytes - Math.max(MB, maxBytes * 0.01), `${name}: ${total} bytes, close to the bound`);
      t.ok(maxEntryBytes >= maxBytes / 16, `${name}: an entry of a sixteenth`);
      t.ok(maxEntryBytes <= geometry.pageCount * 2 ** geometry.pageShift, `${name}: that a shard can hold`);
    }
    t.end();
  });
}

t.test('maxEntries is dealt out exactly', (t) => {
  for (const maxEntries of [1, 2, 7, 100, 1_001, 65_537]) {
    for (const shards of [1, 4, 8, undefined]) {
      const { shardCount, shardCapacity, extraEntryShards, geometry } = plan({ maxEntries, shards });
      t.equal(shardCount * shardCapacity + extraEntryShards, maxEntries, `${maxEntries} over ${shardCount} shards`);
      t.ok(shardCapacity + 1 <= geometry.slotCount, 'each shard has slots for them');
    }
  }
  t.end();
});

t.test('shards that would be too small or too large are refused', (t) => {
  t.throws(() => plan({ maxBytes: MB, shards: 1_024 }), { code: 'ERR_INVALID_OPTION' });
  t.throws(() => plan({ maxBytes: 64 * 1_024 * MB, shards: 1 }), { code: 'ERR_INVALID_OPTION' });
  t.end();
});
