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

t.test('an entry of a 64th can be stored, and of 1 MB from 16 MB on, however small the typical entry is', (t) => {
  for (const averageEntryBytes of [32, 40, 64, 152, 4_096, 65_536]) {
    for (let maxBytes = MB; maxBytes <= 16_384 * MB; maxBytes = Math.floor(maxBytes * 1.21)) {
      const { maxEntryBytes } = plan({ maxBytes, averageEntryBytes });
      const least = Math.max(maxBytes / 64, maxBytes >= 16 * MB ? MB : 0);
      t.ok(maxEntryBytes >= least, `${(maxBytes / MB).toFixed(1)} MB, ${averageEntryBytes} bytes: ${maxEntryBytes}`);
    }
  }
  t.end();
});

for (const eviction of Object.keys(policies) as (keyof typeof policies)[]) {
  t.test(`${eviction}: the bounds hold for every size from 1 MB to 16 GB`, (t) => {
    for (let maxBytes = MB; maxBytes <= 16_384 * MB; maxBytes = Math.floor(maxBytes * 1.37)) {
      const { shardCount, geometry, control, maxEntryBytes } = plan({ maxBytes }, eviction);
      const total = control.words * 4 + shardCount * geometry.words * 4;
      const name = `${(maxBytes / MB).toFixed(1)} MB`;
      t.ok(total <= maxBytes, `${name}: within the bound`);
      t.ok(total >= maxBytes - Math.max(MB, maxBytes * 0.01), `${name}: ${total} bytes, close to the bound`);
      const least = Math.max(maxBytes / 64, maxBytes >= 16 * MB ? MB : 0);
      t.ok(maxEntryBytes >= least, `${name}: an entry of a 64th, and of 1 MB from 16 MB on`);
      t.ok(maxEntryBytes <= geometry.pageCount * 2 ** geometry.pageShift, `${name}: that a shard can hold`);
    }
    t.end();
  });
}

t.test('default shards grow with the bytes, and stay few where entries are few', (t) => {
  for (const [mb, shards] of [
    [1, 1],
    [4, 4],
    [8, 8],
    [16, 8],
    [32, 8],
    [64, 16],
    [128, 32],
    [8_192, 32],
    [65_536, 64],
  ] as const) {
    t.equal(plan({ maxBytes: mb * MB }).shardCount, shards, `${mb} MB`);
  }
  for (const [maxEntries, shards] of [
    [1, 1],
    [1_023, 1],
    [1_024, 2],
    [10_000, 16],
    [100_000, 32],
  ] as const) {
    t.equal(plan({ maxBytes: 256 * MB, maxEntries }).shardCount, shards, `${maxEntries} entries`);
  }
  t.equal(plan({ averageEntryBytes: 64 * 1_024 }).shardCount, 2, 'a thousand large entries');
  t.end();
});

t.test('maxEntries is dealt out exactly', (t) => {
  const counts = [...Array.from({ length: 300 }, (_, i) => i + 1), 1_001, 65_537];
  for (const shards of [1, 2, 4, 8, 16, 32, 64, 128, undefined]) {
    for (const maxEntries of counts) {
      const { shardCount, shardCapacity, extraEntryShards, geometry } = plan({ maxEntries, shards });
      const name = `${maxEntries} over ${shardCount} shards, ${shards} asked for`;
      if (shardCount * shardCapacity + extraEntryShards !== maxEntries) t.fail(`${name}: not exact`);
      if (shardCapacity < 1) t.fail(`${name}: a shard without entries`);
      if (shards !== undefined && maxEntries >= shards && shardCount !== shards) t.fail(`${name}: lowered needlessly`);
      if (shardCapacity + 1 > geometry.slotCount) t.fail(`${name}: a shard without slots for them`);
    }
  }
  t.end();
});

t.test('fewer entries than the shards that so many bytes take are refused', (t) => {
  const huge = { maxBytes: 64 * 1_024 * MB };
  t.throws(() => plan({ ...huge, maxEntries: 31 }), { code: 'ERR_INVALID_OPTION', message: /maxEntries.*at least 64/ });
  t.throws(() => plan({ ...huge, maxEntries: 1, shards: 64 }), { code: 'ERR_INVALID_OPTION', message: /maxEntries/ });
  t.equal(plan({ ...huge, maxEntries: 64 }).shardCount, 64);
  t.end();
});

t.test('shards that would be too small or too large are refused', (t) => {
  t.throws(() => plan({ maxBytes: MB, shards: 1_024 }), { code: 'ERR_INVALID_OPTION' });
  t.throws(() => plan({ maxBytes: 64 * 1_024 * MB, shards: 1 }), { code: 'ERR_INVALID_OPTION' });
  t.end();
});
