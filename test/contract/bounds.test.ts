import t from 'tap';
import { SharedCache } from '../../src/index.js';
import { Arena } from '../../src/memory/arena.js';
import { SHARD } from '../../src/memory/layout.js';
import { EVICTION_NAMES } from '../../src/policy/index.js';
import { newCache, ON_FILES, withCache } from '../fixtures/with-cache.js';

const MB = 2 ** 20;
/** Of a small heap, in which one value of 100,000 bytes is more than a twentieth of a shard's. */
const LEAST_USED_SHARE = 0.75;

t.test('maxBytes bounds the shared memory, and a 64th of it fits in one entry', (t) => {
  // A file's space is taken when it is opened, and its regions are whole pages.
  const [largest, rounded] = ON_FILES ? [1_000, 3 * 65_536] : [8_192, 0];
  for (const mb of [1, 2, 3, 8, 64, 100, largest]) {
    const cache = newCache({ maxBytes: mb * MB, sweep: false });
    const { control, segments } = cache.handle.buffers;
    const bytes = segments.reduce((total, segment) => total + segment.byteLength, control.byteLength);
    t.ok(bytes <= mb * MB + rounded, `${mb} MB: ${bytes} bytes`);
    t.ok(bytes >= mb * MB * 0.9, 'and most of it is used');
    t.ok(cache.maxEntryBytes >= Math.max((mb * MB) / 64, mb >= 16 ? MB : 0), `largest entry ${cache.maxEntryBytes}`);
    cache.close();
  }
  t.end();
});

for (const eviction of EVICTION_NAMES) {
  t.test(`${eviction}: maxEntries is exact`, (t) => {
    for (const [maxEntries, shards] of [
      [1, 1],
      [100, 1],
      [1_000, 4],
      [5_000, undefined],
    ] as const) {
      const cache = withCache<number>(t, { eviction, maxEntries, ...(shards === undefined ? {} : { shards }) });
      for (let i = 0; i < maxEntries * 3; i++) cache.put(`k${i}`, i);
      t.ok(cache.size <= maxEntries);
      t.ok(cache.size >= maxEntries * 0.95, `${cache.size} of ${maxEntries}`);
      t.equal(cache.getStats().evictions, maxEntries * 3 - cache.size);
    }
    t.end();
  });

  t.test(`${eviction}: mixed sizes never make the cache refuse what it can hold`, (t) => {
    const cache = withCache<Buffer>(t, { eviction, maxBytes: '4MB' });
    const arena = Arena.attach(cache.handle.buffers);
    let state = 1;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    let refused = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 60_000; i++) {
      // Phases of another size each: what fragments a heap.
      const most = [100, 3_000, 500, 60_000, 40, 9_000][Math.floor(i / 10_000)];
      const size = random() < 0.001 ? 100_000 : Math.floor(random() * most);
      if (!cache.put(`k${Math.floor(random() * 20_000)}`, Buffer.allocUnsafe(size))) refused++;
      // The phases of tiny values are bounded by the index, not by the heap.
      if (i % 10_000 > 8_000 && i % 20 === 0 && most > 400) least = Math.min(least, usedShare(arena));
    }
    t.equal(refused, 0);
    t.ok(least > LEAST_USED_SHARE, `at least ${(least * 100).toFixed(0)} % of the heap in use when full`);
    t.end();
  });
}

t.test('every way to write keeps maxEntries, with more shards asked for than there are entries', (t) => {
  const cache = withCache<number>(t, { maxEntries: 2, shards: 4 });
  for (let i = 0; i < 50; i++) {
    cache.increment(`a${i}`);
    cache.put(`b${i}`, i);
    cache.putIfAbsent(`c${i}`, i);
    cache.update(`d${i}`, () => i);
    cache.getOrSetSync(`e${i}`, () => i);
    t.ok(cache.size <= 2);
  }
  t.same(cache.inspect().problems, []);
  t.end();
});

t.test('every key can be stored, whatever maxEntries and shards', (t) => {
  for (const [maxEntries, shards] of [
    [1, 2],
    [3, 8],
    [7, 8],
    [100, 128],
    [1, 128],
    [5, 4],
  ] as const) {
    const cache = newCache<number>({ maxBytes: '32MB', maxEntries, shards, sweep: false });
    for (let i = 0; i < 2 * maxEntries + 100; i++) {
      if (!cache.put(`k${i}`, i) || cache.get(`k${i}`) !== i) t.fail(`${maxEntries} entries, ${shards} shards: k${i}`);
      if (cache.size > maxEntries) t.fail(`${maxEntries} entries, ${shards} shards: ${cache.size} held`);
    }
    t.equal(cache.getStats().rejections, 0);
    t.same(cache.inspect().problems, []);
    cache.close();
  }
  t.end();
});

t.test('options that make no sense', (t) => {
  const bad = [
    { maxBytes: '1KB' },
    { maxBytes: 'lots' },
    { maxBytes: -1 },
    { maxEntries: 0 },
    { maxEntries: 1.5 },
    { shards: 3 },
    { shards: 1_024, maxBytes: '1MB' },
    { eviction: 'random' },
    { sweep: 5 },
    { sweep: { intervalMs: 0 } },
    { codec: {} },
    { monitor: 'yes' },
    { maxbytes: 5 },
    { tll: 5 },
    null,
    5,
  ];
  for (const options of bad)
    t.throws(() => new SharedCache(options as never), { code: 'ERR_INVALID_OPTION' }, JSON.stringify(options));
  t.throws(() => new SharedCache({ ttl: -1 }), { code: 'ERR_INVALID_TTL' });
  t.throws(() => new SharedCache({ maxbytes: 5 } as never), /did you mean maxBytes/);
  t.end();
});

/** Bytes of blocks in use, as a share of the heap. */
function usedShare({ shards, geometry }: Arena): number {
  const used = shards.reduce((sum, { words }) => sum + words[SHARD.usedUnits] * 8, 0);
  return used / (shards.length * geometry.pageCount * 2 ** geometry.pageShift);
}
