/** Frozen values: deeply frozen, the same object while its entry is unchanged, and never one that was replaced. */
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { Codec } from '../../src/codec/codec.js';
import { type Namespace, SharedCache, type SharedCacheOptions } from '../../src/index.js';
import { effort } from '../fixtures/effort.js';
import type { FrozenLoader } from '../fixtures/frozen-loader.js';
import { keptBytes } from '../fixtures/near-bytes.js';
import { withCache } from '../fixtures/with-cache.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

interface Deep {
  name: string;
  list: (number | null | { inner: string[] })[];
  nested: { deeper: { deepest: { n: number } } };
}

const deep = (name = 'a'): Deep => ({
  name,
  list: [1, null, { inner: ['x', 'y'] }],
  nested: { deeper: { deepest: { n: 1 } } },
});

function frozenCache<V = unknown>(
  t: Parameters<typeof withCache>[0],
  options: SharedCacheOptions = {},
): SharedCache<V> {
  return withCache<V>(t, { frozen: true, sweep: false, ...options });
}

/** Whether every object that can be reached is frozen; each is visited once. */
function isDeeplyFrozen(value: unknown): boolean {
  const found = new Set<unknown>([value]);
  for (const each of found) {
    if (typeof each !== 'object' || each === null) continue;
    if (!Object.isFrozen(each)) return false;
    for (const held of Object.values(each)) found.add(held);
  }
  return true;
}

t.test('everything that reads gives deeply frozen values', async (t) => {
  const cache = frozenCache<Deep>(t);
  for (const keys of [cache, cache.namespace<Deep>('n')] as const) {
    cache.put('k', deep());
    keys.put('k', deep());
    const seen: unknown[] = [];
    const results: Record<string, unknown> = {
      get: keys.get('k'),
      peek: keys.peek('k'),
      getMany: keys.getMany(['k'])[0],
      entry: keys.entry('k')?.value,
      'getOrSet, a hit': await keys.getOrSet('k', () => deep()),
      'getOrSet, a miss': await keys.getOrSet('loaded', () => deep()),
      'getOrSet, not stored': await keys.getOrSet('skipped', (_, { skip }) => {
        skip();
        return deep();
      }),
      'getOrSetSync, a miss': keys.getOrSetSync('computed', () => deep()),
      wrap: await keys.wrap((name: string) => deep(name), { key: (name) => name })('wrapped'),
      update: keys.update('k', (before) => {
        seen.push(before);
        return { ...deep(), name: 'updated' };
      }),
      iteration: [...keys][0]?.[1],
      values: [...keys.values()][0],
      take: keys.take('k'),
    };
    keys.forEach((value) => {
      seen.push(value);
    });
    results.seen = Object.freeze(seen);
    for (const [name, value] of Object.entries(results)) {
      t.type(value, 'object', name);
      t.ok(isDeeplyFrozen(value), name);
    }
    t.ok(seen.length > 1);
  }
});

t.test('what a thread reads again is the same object', async (t) => {
  const cache = frozenCache<unknown>(t);
  const inner = cache.namespace('a').namespace('b');
  const twin = SharedCache.attach<unknown>(cache.handle);
  t.teardown(() => twin.close());
  const tagged = { tags: ['t'] };
  cache.put('k', deep('outer'));
  cache.put('list', [[1], [2]]);
  cache.put('tagged', deep('tagged'), tagged);
  inner.put('k', deep('inner'));
  for (const [keys, key, same] of [
    [cache, 'k', twin],
    [cache, 'list', twin],
    [cache, 'tagged', twin],
    [inner, 'k', twin.namespace('a').namespace('b')],
  ] as [SharedCache | Namespace, string, SharedCache | Namespace][]) {
    const first = keys.get(key);
    t.ok(isDeeplyFrozen(first));
    t.equal(keys.get(key), first, 'get');
    t.equal(keys.peek(key), first, 'peek');
    t.equal(keys.entry(key)?.value, first, 'entry');
    t.equal(keys.getMany([key, key])[1], first, 'getMany');
    t.equal(await keys.getOrSet(key, () => 'never'), first, 'getOrSet');
    t.equal(
      keys.getOrSetSync(key, () => 'never'),
      first,
      'getOrSetSync',
    );
    t.equal(same.get(key), first, 'another attachment of this thread');
    keys.update(key, (before) => {
      t.equal(before, first, 'update');
      return before as never;
    });
    t.not(keys.get(key), first, 'a write of equal bytes is a write');
    t.same(keys.get(key), first);
  }
  t.not(cache.get('k'), inner.get('k'));
  const peeked = frozenCache(t);
  peeked.put('k', deep());
  t.equal(peeked.peek('k'), peeked.get('k'), 'peeked first');
  const loaded = await peeked.getOrSet('loaded', () => deep());
  t.equal(peeked.get('loaded'), loaded, 'loaded first');
  const computed = peeked.getOrSetSync('computed', () => deep());
  t.equal(peeked.get('computed'), computed, 'computed first');
  const [one, other] = await Promise.all([1, 2].map(() => peeked.getOrSet('together', async () => deep())));
  t.equal(one, other, 'callers of one load');
});

t.test('what another thread loads is frozen here too, and is what a get gives', async (t) => {
  const cache = frozenCache<object>(t);
  const loading = new SharedArrayBuffer(4);
  const workerData: FrozenLoader = { handle: cache.handle, loading };
  const worker = new Worker(new URL('../fixtures/frozen-loader.js', import.meta.url), { workerData, execArgv: [] });
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  const began = Atomics.waitAsync(new Int32Array(loading), 0, 0, 60_000);
  if (began.async) await began.value;
  const waited = cache.getOrSetSync('k', () => t.fail('it was loaded here') as never);
  t.same(waited, { loaded: ['by another thread'] });
  t.ok(isDeeplyFrozen(waited));
  t.equal(cache.get('k'), waited);
  await ended;
});

t.test('a neighbour’s change, a touch or another tag’s invalidation leaves the object the same', (t) => {
  const cache = frozenCache<unknown>(t);
  cache.put('k', deep());
  cache.put('tagged', deep(), { tags: ['mine'] });
  const first = cache.get('k');
  const tagged = cache.get('tagged');
  // Counts of changes are shared by many keys: with so many writes each of them moves.
  for (let i = 0; i < 5_000; i++) cache.put(`other ${i % 100} ${i}`, i, { ttl: 1e9 });
  cache.touch('k', '5m');
  cache.touch('tagged', '5m');
  cache.invalidateTags('another');
  t.equal(cache.get('k'), first);
  t.equal(cache.get('tagged'), tagged);
  t.ok((cache.expiresIn('k') ?? 0) <= 300_000);
  t.end();
});

t.test('what is replaced, removed or over is not handed out', (t) => {
  let now = 1_000_000;
  const cache = frozenCache<Deep>(t, { now: () => now });
  const inner = cache.namespace<Deep>('n');
  const ends: [string, () => void][] = [
    ['put', () => cache.put('k', deep('new'))],
    ['putMany', () => cache.putMany([['k', deep('new')]])],
    ['putIfVersion', () => cache.putIfVersion('k', deep('new'), cache.entry('k')?.version ?? 0)],
    ['update', () => cache.update('k', () => deep('new'))],
    ['update to nothing', () => cache.update('k', () => undefined)],
    ['delete', () => cache.delete('k')],
    ['take', () => cache.take('k')],
    ['ttl', () => (now += 5_000)],
    ['touch', () => cache.touch('k', 0)],
    ['tag', () => cache.invalidateTags('t')],
    ['clear', () => cache.clear()],
    ['too large', () => cache.put('k', { ...deep(), name: 'x'.repeat(4 * 2 ** 20) })],
  ];
  for (const [name, end] of ends) {
    cache.put('k', deep('old'), { ttl: 5_000, tags: ['t'] });
    t.equal(cache.get('k')?.name, 'old', name);
    end();
    t.not(cache.get('k')?.name, 'old', name);
    cache.put('k', deep('back'), { ttl: 5_000, tags: ['t'] });
    t.equal(cache.get('k')?.name, 'back', name);
  }
  inner.put('k', deep('old'));
  t.equal(inner.get('k')?.name, 'old');
  inner.clear();
  t.equal(inner.get('k'), undefined);
  t.end();
});

t.test('an evicted key is gone, though its object was near', (t) => {
  const cache = frozenCache<Deep>(t, { maxEntries: 64, eviction: 'fifo', shards: 1 });
  cache.put('k', deep());
  const first = cache.get('k');
  for (let i = 0; i < 200; i++) cache.put(`other ${i}`, deep());
  t.equal(cache.get('k'), undefined);
  cache.put('k', deep('again'));
  t.equal(cache.get('k')?.name, 'again');
  t.equal(first?.name, 'a');
  t.end();
});

t.test('the policy hears of hits near, also between peeks', (t) => {
  const cache = frozenCache<Deep>(t, { maxEntries: 2_048, eviction: 'lru', shards: 1 });
  cache.put('hot', deep());
  const first = cache.get('hot');
  for (let i = 0; i < 10_000; i++) {
    cache.put(`other ${i}`, deep());
    cache.peek('hot');
    if (cache.get('hot') !== first) t.fail(`evicted after ${i} new keys`);
  }
  t.equal(cache.get('hot'), first);
  t.end();
});

t.test('what cannot be frozen to the last byte comes back as a copy each time', (t) => {
  const cache = frozenCache<unknown>(t);
  const values: unknown[] = [
    new Date(5),
    new Map([['a', { b: 1 }]]),
    new Set([1]),
    Buffer.from('bytes'),
    new Uint8Array([1, 2]),
    new ArrayBuffer(4),
    new Error('e'),
    /x/,
    { when: new Date(5), list: [{ plain: true }] },
    [new Map()],
  ];
  for (const value of values) {
    cache.put('k', value);
    const [first, second] = [cache.get('k'), cache.get('k')];
    t.not(first, second);
    t.same(first, value);
    t.notOk(Object.isFrozen(first));
    t.not(cache.peek('k'), cache.peek('k'));
  }
  cache.put('k', { when: new Date(5), list: [1] });
  (cache.get('k') as { list: number[] }).list.push(2);
  t.same(cache.get('k'), { when: new Date(5), list: [1] });
  t.end();
});

t.test('primitives are what they always are', (t) => {
  const cache = frozenCache<unknown>(t);
  for (const value of [
    'short',
    'ü'.repeat(300),
    'wide \u{1f600}',
    'x'.repeat(100_000),
    1.5,
    Number.NaN,
    12n,
    2n ** 200n,
    true,
    null,
  ]) {
    cache.put('k', value);
    t.same([cache.get('k'), cache.get('k'), cache.peek('k')], [value, value, value]);
  }
  cache.put('n', 1);
  for (let i = 2; i < 10; i++) {
    t.equal(cache.increment('n'), i);
    t.equal(cache.get('n'), i);
  }
  t.end();
});

t.test('circles and shared parts', (t) => {
  interface Circle {
    self?: Circle;
    list: unknown[];
    shared: object[];
  }
  const cache = frozenCache<Circle>(t);
  const part = { part: [1] };
  const circle: Circle = { list: [], shared: [part, part] };
  circle.self = circle;
  circle.list.push(circle.list, circle);
  cache.put('k', circle);
  const value = cache.get('k') as Circle;
  t.equal(value.self, value);
  t.equal(value.list[0], value.list);
  t.equal(value.list[1], value);
  t.equal(value.shared[0], value.shared[1]);
  t.ok(isDeeplyFrozen(value));
  t.equal(cache.get('k'), value);
  t.notOk(Object.isFrozen(circle));
  let nested: unknown[] = [];
  const root = nested;
  for (let i = 0; i < 2_000; i++) nested = nested[nested.push([]) - 1] as unknown[];
  const long = frozenCache<unknown>(t);
  long.put('deep', root);
  t.ok(isDeeplyFrozen(long.get('deep')));
  t.end();
});

t.test('what the caller gave stays the caller’s', async (t) => {
  const cache = frozenCache<Deep>(t);
  const given = Array.from({ length: 6 }, (_, i) => deep(`given ${i}`));
  const [put, loaded, computed, updated, absent, many] = given as [Deep, Deep, Deep, Deep, Deep, Deep];
  cache.put('put', put);
  await cache.getOrSet('loaded', () => loaded);
  cache.getOrSetSync('computed', () => computed);
  cache.update('updated', () => updated);
  cache.putIfAbsent('absent', absent);
  cache.putMany([['many', many]]);
  for (const value of given) {
    t.notOk(Object.isFrozen(value), value.name);
    t.notOk(Object.isFrozen(value.nested.deeper.deepest), value.name);
    value.nested.deeper.deepest.n = 99;
    value.name = 'changed';
  }
  for (const key of ['put', 'loaded', 'computed', 'updated', 'absent', 'many']) {
    t.match(cache.get(key), { name: /given/, nested: { deeper: { deepest: { n: 1 } } } }, key);
  }
});

t.test('what a codec decodes is frozen and kept too, if it is plain', (t) => {
  let decoded = 0;
  let read = (_: unknown): void => {};
  const codec: Codec = {
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode: (bytes) => {
      decoded++;
      const value = JSON.parse(Buffer.from(bytes).toString()) as { map?: [string, number][] };
      read(value);
      return value.map === undefined ? value : { map: new Map(value.map) };
    },
  };
  const cache = frozenCache<unknown>(t, { codec });
  cache.put('k', deep());
  const first = cache.get('k');
  t.ok(isDeeplyFrozen(first));
  t.equal(cache.get('k'), first);
  t.equal(decoded, 1);
  cache.put('map', { map: [['a', 1]] });
  t.not(cache.get('map'), cache.get('map'));
  t.notOk(Object.isFrozen(cache.get('map')));
  // A codec that uses the cache it decodes for.
  cache.put('a', { name: 'a' });
  cache.put('b', { name: 'b' });
  read = () => {
    read = () => {};
    cache.get('b');
  };
  t.same(cache.get('a'), { name: 'a' });
  t.same([cache.get('a'), cache.get('b')], [{ name: 'a' }, { name: 'b' }]);
  t.equal(cache.get('a'), cache.get('a'));
  cache.put('a', { name: 'old' });
  read = () => {
    read = () => {};
    cache.put('a', { name: 'new' });
  };
  t.same(cache.get('a'), { name: 'old' }, 'it was read before the codec wrote');
  t.same(cache.get('a'), { name: 'new' });
  t.end();
});

t.test('what a thread keeps is bounded by nearBytes', (t) => {
  const nearBytes = 256 * 1024;
  const cache = frozenCache<unknown>(t, { maxBytes: '16MB', nearBytes });
  const objects = effort('OBJECTS', 20_000, 1_000_000);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < objects; i++) {
    cache.put(`key ${i}`, { id: i, list: [i, { name: `object number ${i}` }] });
    cache.get(`key ${i}`);
    if (i % 997 === 0 && keptBytes(cache) > nearBytes) t.fail(`${keptBytes(cache)} bytes after ${i} objects`);
  }
  t.ok(keptBytes(cache) <= nearBytes);
  t.ok(keptBytes(cache) > nearBytes / 2);
  collect();
  const grownBytes = process.memoryUsage().heapUsed - before;
  // A million objects would be hundreds of MB; the heap of a test runner moves by a few.
  t.ok(grownBytes < 32 * 2 ** 20, `the heap grew by ${grownBytes} bytes`);
  cache.put('large', { text: 'x'.repeat(nearBytes) });
  t.ok(isDeeplyFrozen(cache.get('large')));
  t.not(cache.get('large'), cache.get('large'), 'larger than the bound: not kept');
  t.ok(keptBytes(cache) > nearBytes / 2, 'nor is anything given up for it');
  const nothing = frozenCache<unknown>(t, { nearBytes: 0 });
  nothing.put('k', deep());
  t.ok(isDeeplyFrozen(nothing.get('k')));
  t.not(nothing.get('k'), nothing.get('k'));
  t.equal(keptBytes(nothing), 0);
  t.end();
});

t.test('all that fits stays, and what is used outlives what is read once', (t) => {
  const cache = frozenCache<{ id: number }>(t, { maxBytes: '64MB', nearBytes: '2MB' });
  const keys = Array.from({ length: 10_000 }, (_, i) => `key ${i}`);
  for (const [id, key] of keys.entries()) cache.put(key, { id });
  const first = cache.getMany(keys);
  const again = cache.getMany(keys);
  t.equal(first.filter((value, i) => value !== again[i]).length, 0);
  const hot = keys.slice(0, 100);
  for (let i = 0; i < 3; i++) cache.getMany(hot);
  for (let i = 0; i < 40_000; i++) {
    cache.put(`scan ${i}`, { id: i });
    cache.get(`scan ${i}`);
    if (i % 100 === 0) cache.getMany(hot);
  }
  t.same(
    cache.getMany(hot).map((value, i) => value === first[i]),
    hot.map(() => true),
  );
  t.end();
});

t.test('a closed cache keeps nothing near', async (t) => {
  const cache = new SharedCache<Deep>({ maxBytes: '1MB', frozen: true, sweep: false });
  const second = SharedCache.attach<Deep>(cache.handle);
  cache.put('k', deep());
  const kept = new WeakRef(cache.get('k') as Deep);
  second.close();
  t.ok(keptBytes(cache) > 0, 'another attachment of this thread goes on');
  cache.close();
  t.equal(keptBytes(cache), 0);
  for (let i = 0; i < 50 && kept.deref() !== undefined; i++) {
    await turn();
    collect();
  }
  t.equal(kept.deref(), undefined);
});

t.test('options', (t) => {
  for (const frozen of [1, 'true', null]) {
    t.throws(() => new SharedCache({ frozen: frozen as never }), { code: 'ERR_INVALID_OPTION' }, String(frozen));
  }
  for (const nearBytes of [-1, Number.NaN, '8 parsecs', null, {}]) {
    t.throws(() => new SharedCache({ frozen: true, nearBytes: nearBytes as never }), { code: 'ERR_INVALID_OPTION' });
  }
  const plain = withCache<Deep>(t, { frozen: false, nearBytes: '1MB' });
  plain.put('k', deep());
  t.not(plain.get('k'), plain.get('k'));
  t.notOk(Object.isFrozen(plain.get('k')));
  t.end();
});
