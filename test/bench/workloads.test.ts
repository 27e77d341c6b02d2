import t from 'tap';
import { freshKey } from '../../bench/workloads/keys.js';
import { drawOperations } from '../../bench/workloads/operations.js';
import { makeValues } from '../../bench/workloads/values.js';

const KEYS = 1_000;

t.test('keys look like those of the specification', async (t) => {
  t.equal(freshKey(12_345), 'user:00012345:profile');
  t.equal(freshKey(99_999_999), 'user:99999999:profile');
});

t.test('the same seed draws the same', async (t) => {
  const mix = { distribution: 'zipf', keys: KEYS, writes: 0.05 } as const;
  // A million numbers: as bytes, since tap would compare them one by one.
  const bytes = (seed: number): Buffer => Buffer.from(drawOperations({ ...mix, seed }).buffer);
  t.ok(bytes(7).equals(bytes(7)));
  t.notOk(bytes(7).equals(bytes(8)));
  t.same(makeValues('json', 0, 7), makeValues('json', 0, 7));
});

t.test('zipf draws its most popular key as often as the formula says', async (t) => {
  const counts = new Uint32Array(KEYS);
  const operations = drawOperations({ distribution: 'zipf', keys: KEYS, writes: 0.05, seed: 7 });
  for (const operation of operations) counts[operation >>> 1]++;
  const harmonic = Array.from({ length: KEYS }, (_, i) => (i + 1) ** -0.99).reduce((sum, weight) => sum + weight, 0);
  const share = Math.max(...counts) / operations.length;
  t.ok(Math.abs(share * harmonic - 1) < 0.05, `share ${share}, expected ${1 / harmonic}`);
  const writes = operations.reduce((sum, operation) => sum + (operation & 1), 0) / operations.length;
  t.ok(Math.abs(writes - 0.05) < 0.002, `share of writes ${writes}`);
});

t.test('a scan visits every key in turn', async (t) => {
  const operations = drawOperations({ distribution: 'scan', keys: KEYS, writes: 0, seed: 7 });
  t.equal(new Set(operations.subarray(0, KEYS)).size, KEYS);
});
