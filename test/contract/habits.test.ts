import { inspect } from 'node:util';
import t from 'tap';
import { SharedCache } from '../../src/index.js';
import { newCache, withCache } from '../fixtures/with-cache.js';

t.test('set is put, and forEach goes through everything', (t) => {
  const cache = withCache<number>(t);
  t.equal(cache.set('a', 1), true);
  cache.set('b', 2, { ttl: '5m' });
  const seen: [string, number, unknown][] = [];
  cache.forEach((value, key, from) => {
    seen.push([key, value, from]);
  });
  t.same(seen.map(([key, value]) => [key, value]).sort(), [
    ['a', 1],
    ['b', 2],
  ]);
  t.ok(seen.every(([, , from]) => from === cache));
  t.throws(() => cache.forEach(5 as never), { code: 'ERR_INVALID_ARGUMENT' });
  t.end();
});

t.test('take gives the value once, and counts as a get and a delete', (t) => {
  const cache = withCache<unknown>(t);
  for (const value of ['text', 5, { deep: [1] }, Buffer.from('bytes'), 'x'.repeat(200_000), null, false]) {
    cache.put('k', value);
    t.same(cache.take('k'), value);
    t.equal(cache.take('k'), undefined);
    t.equal(cache.has('k'), false);
  }
  const { hits, misses, deletes, left } = cache.getStats();
  t.same({ hits, misses, deletes }, { hits: 7, misses: 7, deletes: 7 });
  t.equal(left.deleted, 7);
  t.end();
});

t.test('hasMany and deleteMany', (t) => {
  const cache = withCache<number>(t);
  cache.put('a', 1);
  cache.put('b', 2);
  t.same(cache.hasMany(['a', 'x', 'b', 'a']), [true, false, true, true]);
  t.equal(cache.deleteMany(['a', 'x', 'a']), 1);
  t.same(cache.hasMany([]), []);
  t.same(cache.getStats().hits, 0);
  t.end();
});

t.test('many keys are all checked before anything is counted or changed', (t) => {
  const cache = withCache<number>(t);
  cache.put('a', 1);
  const before = cache.getStats();
  const holes = ['a', 'b', 'a'];
  delete holes[1];
  for (const bad of [['a', 5], ['a', undefined], ['a', 'x'.repeat(70_000)], holes] as string[][]) {
    for (const call of [
      () => cache.getMany(bad),
      () => cache.hasMany(bad),
      () => cache.deleteMany(bad),
      () => cache.longestPrefix(bad),
      () => cache.putMany(Array.from(bad, (key) => [key, 2] as [string, number])),
    ])
      t.throws(call, { code: 'ERR_INVALID_KEY' });
  }
  t.same(cache.getStats(), before);
  t.equal(cache.peek('a'), 1);
  t.end();
});

t.test('putMany runs a getter once, and stores nothing if one value cannot be stored', (t) => {
  const cache = withCache<unknown>(t);
  let runs = 0;
  const value = {
    get x() {
      runs++;
      return 'y'.repeat(500);
    },
  };
  t.equal(
    cache.putMany([
      ['a', value],
      ['b', 'text'],
      ['c', value],
    ]),
    3,
  );
  t.equal(runs, 2);
  t.same(cache.getMany(['a', 'b', 'c']), [{ x: 'y'.repeat(500) }, 'text', { x: 'y'.repeat(500) }]);
  t.throws(
    () =>
      cache.putMany([
        ['d', 1],
        ['e', () => 1],
      ]),
    { code: 'ERR_INVALID_VALUE' },
  );
  t.equal(cache.has('d'), false);
  t.end();
});

t.test('times are ms or strings', (t) => {
  let now = 1_000;
  const cache = withCache<number>(t, { now: () => now, ttl: '2h' });
  const times = { '500ms': 500, '10s': 10_000, '5m': 300_000, '2h': 7_200_000, '1d': 86_400_000, '1.5h': 5_400_000 };
  for (const [text, ms] of Object.entries(times)) {
    cache.put('k', 1, { ttl: text });
    t.equal(cache.expiresIn('k'), ms, text);
    cache.touch('k', text);
    t.equal(cache.expiresIn('k'), ms);
  }
  cache.put('k', 1);
  t.equal(cache.expiresIn('k'), 7_200_000);
  now += 7_199_999;
  t.equal(cache.get('k'), 1);
  now += 1;
  t.equal(cache.get('k'), undefined);
  for (const ttl of ['soon', '', '-5s', '5 parsecs', '1h1m', ' ', 'NaN'])
    t.throws(() => cache.put('k', 1, { ttl }), { code: 'ERR_INVALID_TTL' }, ttl);
  t.end();
});

t.test('entry tells value, expiry, version and tags, and is a peek', (t) => {
  const now = 5_000;
  const cache = withCache<unknown>(t, { now: () => now });
  t.equal(cache.entry('k'), undefined);
  cache.put('k', { a: 1 }, { ttl: 700, tags: ['x', 'ü', '\ud800', 'x'] });
  const entry = cache.entry('k');
  t.same(entry?.value, { a: 1 });
  t.equal(entry?.expiresIn, 700);
  t.same(entry?.tags, ['x', 'ü', '\ud800']);
  t.ok(Number.isSafeInteger(entry?.version) && (entry?.version ?? 0) > 0);
  cache.put('for ever', 1, { ttl: Number.POSITIVE_INFINITY });
  t.equal(cache.entry('for ever')?.expiresIn, Number.POSITIVE_INFINITY);
  t.same(cache.entry('for ever')?.tags, []);
  const { hits, misses } = cache.getStats();
  t.same({ hits, misses }, { hits: 0, misses: 0 });
  t.end();
});

t.test('a version changes with every write of the key, and with no other', (t) => {
  const cache = withCache<unknown>(t, { shards: 1, maxEntries: 8, eviction: 'lru' });
  const versionOf = (): number => cache.entry('k')?.version ?? -1;
  const seen = new Set<number>();
  const changes = (name: string, write: () => void): void => {
    write();
    t.notOk(seen.has(versionOf()), name);
    seen.add(versionOf());
  };
  changes('put', () => cache.put('k', 'value'));
  changes('the same value again', () => cache.put('k', 'value'));
  changes('another size', () => cache.put('k', 'v'.repeat(5_000)));
  changes('delete and put', () => cache.delete('k') && cache.put('k', 'v'.repeat(5_000)));
  changes('update', () => cache.update('k', () => 5));
  changes('increment', () => cache.increment('k'));
  changes('putIfVersion', () => cache.putIfVersion('k', 6, versionOf()));
  changes('clear and put', () => {
    cache.clear();
    cache.put('k', 6);
  });
  changes('take and putIfAbsent', () => cache.take('k') && cache.putIfAbsent('k', 6));
  const version = versionOf();
  for (let i = 0; i < 100; i++) {
    cache.get('k');
    cache.put(`other ${i}`, i);
  }
  t.equal(versionOf(), version, 'while others are put and evicted');
  t.end();
});

t.test('putIfVersion stores only over what was read', (t) => {
  const cache = withCache<unknown>(t);
  cache.put('k', 1);
  const version = cache.entry('k')?.version as number;
  t.equal(cache.putIfVersion('absent', 2, version), false);
  t.equal(cache.putIfVersion('absent', 2, 0), false);
  t.equal(cache.putIfVersion('k', Buffer.alloc(5_000_000), version), false, 'too large');
  t.equal(cache.get('k'), 1, 'and still there');
  t.equal(cache.putIfVersion('k', 2, version), true);
  t.equal(cache.putIfVersion('k', 3, version), false);
  t.equal(cache.get('k'), 2);
  for (const bad of [-1, 1.5, Number.NaN, '1', undefined, null, 2 ** 60])
    t.throws(() => cache.putIfVersion('k', 4, bad as number), { code: 'ERR_INVALID_ARGUMENT' });
  cache.put('k', 5, { ttl: 0 });
  t.equal(cache.putIfVersion('k', 6, version), false, 'gone');
  t.end();
});

t.test('incrementEntry tells what is left of the window; the TTL is that of the first call', (t) => {
  let now = 0;
  const cache = withCache<unknown>(t, { now: () => now });
  t.same(cache.incrementEntry('ip', 1, { ttl: 1_000, tags: ['limits'] }), { value: 1, expiresIn: 1_000 });
  now = 400;
  t.same(cache.incrementEntry('ip', 2, { ttl: 5_000 }), { value: 3, expiresIn: 600 });
  t.same(cache.entry('ip')?.tags, ['limits']);
  now = 1_000;
  t.same(cache.incrementEntry('ip', 1, { ttl: 1_000 }), { value: 1, expiresIn: 1_000 });
  t.same(cache.getStats().left.expired, 1, 'the one that was over');
  t.same(cache.incrementEntry('zero', 1, { ttl: 0 }), { value: 1, expiresIn: 0 });
  t.equal(cache.has('zero'), false);
  cache.put('n', Number.POSITIVE_INFINITY);
  t.throws(() => cache.increment('n', Number.NEGATIVE_INFINITY), { code: 'ERR_INVALID_VALUE' });
  t.equal(cache.get('n'), Number.POSITIVE_INFINITY, 'unchanged');
  const long = 'k'.repeat(60_000);
  cache.increment(long, 2, { tags: ['limits'] });
  t.equal(cache.increment(long), 3, 'in a chained entry');
  t.end();
});

t.test('wrap keeps the results of a function', async (t) => {
  const cache = withCache<number>(t);
  let calls = 0;
  const slow = async (a: number, b: number): Promise<number> => {
    calls++;
    return a * b;
  };
  const quick = cache.wrap(slow, { key: (a, b) => `product ${a} ${b}`, ttl: '1m' });
  t.same(await Promise.all([quick(2, 3), quick(2, 3), quick(3, 3)]), [6, 6, 9]);
  t.equal(await quick(2, 3), 6);
  t.equal(calls, 2);
  t.throws(() => cache.wrap(5 as never, { key: () => '' }), { code: 'ERR_INVALID_ARGUMENT' });
  t.throws(() => cache.wrap(slow, {} as never), { code: 'ERR_INVALID_ARGUMENT' });
  t.throws(() => cache.wrap(slow, undefined as never), { code: 'ERR_INVALID_OPTION' });
  t.throws(() => cache.wrap(slow, { key: () => '', tttl: 5 } as never), { code: 'ERR_INVALID_OPTION' });
  t.end();
});

t.test('closed, and one line to look at', (t) => {
  const cache = newCache<number>({ maxBytes: '4MB' });
  cache.put('a', 1);
  cache.get('a');
  t.equal(cache.closed, false);
  t.match(inspect(cache), /^SharedCache \{ 1 entries, .* of 4\.0 MB, 100\.0 % hits \}$/);
  const users = cache.namespace('users');
  t.equal(inspect(users), 'Namespace { "users" }');
  t.equal(inspect(users.namespace('a/b\n')), 'Namespace { "users" / "a/b\\n" }');
  t.ok(inspect(users.namespace('x'.repeat(30_000))).length < 100);
  cache.close();
  t.equal(cache.closed, true);
  t.equal(users.closed, true);
  t.match(inspect(cache), /closed/);
  t.equal(inspect(users), 'Namespace { closed }');
  t.throws(() => users.get('a'), { code: 'ERR_CLOSED' });
  t.end();
});

t.test('now: this thread’s own time', (t) => {
  let now = 0;
  const cache = withCache<number>(t, { now: () => now });
  cache.put('a', 1, { ttl: 100 });
  now = 99.9;
  t.equal(cache.get('a'), 1);
  t.equal(cache.expiresIn('a'), 0);
  now = 100;
  t.equal(cache.get('a'), undefined);
  const other = SharedCache.attach<number>(cache.handle, { now: () => 50 });
  t.equal(other.get('a'), 1, 'the thread has one clock, the last it was given');
  other.close();
  for (const bad of [5, 'now', {}]) {
    t.throws(() => new SharedCache({ now: bad as never }), { code: 'ERR_INVALID_OPTION' });
    t.throws(() => SharedCache.attach(cache.handle, { now: bad as never }), { code: 'ERR_INVALID_OPTION' });
  }
  const broken = withCache<number>(t, { now: () => 'soon' as never });
  t.throws(() => broken.put('a', 1), { code: 'ERR_INVALID_OPTION' });
  t.end();
});
