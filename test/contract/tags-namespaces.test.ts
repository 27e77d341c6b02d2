import t from 'tap';
import { type PlacedKey, SharedCache } from '../../src/index.js';
import { withCache } from '../fixtures/with-cache.js';

t.test('an invalidated tag ends what was put with it before, and nothing else', (t) => {
  const cache = withCache<unknown>(t);
  const other = SharedCache.attach<unknown>(cache.handle);
  cache.put('a', 1, { tags: ['x'] });
  cache.put('b', 'two', { tags: ['x', 'y'] });
  cache.put('c', { three: 3 }, { tags: ['y'] });
  cache.put('d', 4);
  // Often, so that it is kept near.
  for (let i = 0; i < 20; i++) t.equal(other.get('a'), 1);
  cache.invalidateTags('x');
  t.same(other.getMany(['a', 'b', 'c', 'd']), [undefined, undefined, { three: 3 }, 4]);
  t.same(other.hasMany(['a', 'b', 'c', 'd']), [false, false, true, true]);
  t.equal(other.peek('a'), undefined);
  t.equal(other.entry('a'), undefined);
  t.equal(other.expiresIn('a'), undefined);
  t.equal(other.touch('a', 5), false);
  t.equal(other.delete('a'), false);
  t.equal(other.take('b'), undefined);
  t.same([...other.keys()].sort(), ['c', 'd']);
  cache.put('a', 5, { tags: ['x'] });
  t.equal(other.get('a'), 5, 'a later put is seen');
  cache.invalidateTags(['y', 'never existed']);
  t.equal(other.get('c'), undefined);
  cache.invalidateTags([]);
  t.equal(other.get('a'), 5);
  other.close();
  t.end();
});

t.test('every way to write takes tags', (t) => {
  const cache = withCache<unknown>(t);
  const tags = ['t'];
  cache.putMany([['a', 1]], { tags });
  cache.putIfAbsent('b', 1, { tags });
  cache.update('c', () => 1, { tags });
  cache.increment('d', 1, { tags });
  cache.incrementEntry('e', 1, { tags });
  cache.put('f', 'value that stays');
  t.equal(cache.touch('f', 5_000, { tags }), true);
  t.equal(cache.get('f'), 'value that stays');
  cache.put('g', 1);
  cache.putIfVersion('g', 2, cache.entry('g')?.version as number, { tags });
  for (const key of 'abcdefg') t.same(cache.entry(key)?.tags, tags, key);
  cache.invalidateTags('t');
  t.same([...cache.keys()], []);
  t.equal(cache.putIfAbsent('a', 2), true, 'what a tag has ended is absent');
  t.equal(
    cache.update('b', (before) => (before === undefined ? 'new' : 'old')),
    'new',
  );
  t.equal(cache.increment('d'), 1);
  t.end();
});

t.test('a touch with tags is a touch: nothing leaves, nothing is put, and grace stays', async (t) => {
  let now = 0;
  const cache = withCache<unknown>(t, { maxBytes: '2MB', shards: 1, frozen: true, now: () => now });
  const before = (): unknown[] => [cache.getStats().puts, cache.getStats().rejections, cache.getStats().left];
  cache.put('object', { a: 1 }, { tags: ['old'] });
  const object = cache.get('object');
  const version = cache.entry('object')?.version;
  const largest = cache.maxEntryBytes - 'full'.length;
  t.equal(cache.put('full', Buffer.alloc(largest)), true);
  const old = before();
  t.equal(cache.touch('object', 50, { tags: ['new'] }), true);
  t.equal(cache.get('object'), object, 'the same object');
  t.same([cache.entry('object')?.version, cache.entry('object')?.tags], [version, ['new']]);
  t.equal(cache.touch('full', 50, { tags: ['new'] }), false, 'too large with tags');
  t.equal((cache.get('full') as Buffer).length, largest);
  t.ok((cache.expiresIn('full') as number) > 50, 'as it was');
  t.equal(cache.touch('object', 0, { tags: ['newer'] }), true);
  t.equal(cache.has('object'), false);
  t.strictSame(before(), old);

  await cache.getOrSet('k', () => 'old', { ttl: 50, grace: 1_000 });
  t.equal(cache.touch('k', 50, { tags: ['new'] }), true);
  now = 100;
  cache.cleanupExpired();
  const fail = (): never => {
    throw new Error('down');
  };
  t.equal(await cache.getOrSet('k', fail, { grace: 1_000 }), 'old');
});

t.test('what is dead makes room: reads and the sweep reclaim it', (t) => {
  const cache = withCache<unknown>(t, { maxEntries: 100, shards: 1, sweep: false });
  for (let i = 0; i < 50; i++) cache.put(`k${i}`, i, { tags: ['t'] });
  cache.invalidateTags('t');
  t.equal(cache.get('k0'), undefined);
  t.equal(cache.getStats().invalidations, 1, 'by the read');
  t.equal(cache.cleanupExpired(), 49, 'by the sweep');
  const { invalidations, left, totalObjects } = cache.getStats();
  t.same(
    { invalidations, invalidated: left.invalidated, totalObjects },
    { invalidations: 50, invalidated: 50, totalObjects: 0 },
  );
  t.end();
});

t.test('tags that are none', (t) => {
  const cache = withCache<unknown>(t);
  cache.put('k', 'stays');
  const many = Array.from({ length: 17 }, (_, i) => `t${i}`);
  for (const tags of ['t', [''], ['x'.repeat(257)], [5], [undefined], many, null, {}]) {
    t.throws(() => cache.put('k', 1, { tags: tags as never }), { code: 'ERR_INVALID_ARGUMENT' });
    t.throws(() => cache.touch('k', 5, { tags: tags as never }), { code: 'ERR_INVALID_ARGUMENT' });
  }
  for (const tags of ['', 5, undefined, null, {}, [''], [5], 'x'.repeat(257)])
    t.throws(() => cache.invalidateTags(tags as never), { code: 'ERR_INVALID_ARGUMENT' });
  t.equal(cache.get('k'), 'stays');
  cache.put('k', 1, { tags: many.slice(1) });
  t.equal(cache.entry('k')?.tags.length, 16);
  cache.put('k', 1, { tags: ['x'.repeat(256)] });
  cache.invalidateTags('x'.repeat(256));
  t.equal(cache.has('k'), false);
  t.end();
});

t.test('two namespaces never share a key, nor does one with the cache', (t) => {
  const cache = withCache<string>(t);
  const names = ['a', 'b', '', 'a/b', 'ab', '\ud800', 'ü', '\u00ff', 'b\u00fe'];
  const spaces = [
    ...names.map((name) => cache.namespace(name)),
    ...names.map((name) => cache.namespace('a').namespace(name)),
    cache.namespace('a').namespace('b').namespace('c'),
  ];
  const keys = ['', 'k', 'a', 'b', 'a/b', 'b/k', 'c', '\u00ff', '\u00fe', '\udfff', 'k'.repeat(40)];
  const everywhere = [cache, ...spaces];
  for (const [i, space] of everywhere.entries()) for (const key of keys) space.put(key, `${i} ${key}`);
  for (const [i, space] of everywhere.entries()) {
    for (const key of keys) t.equal(space.get(key), `${i} ${key}`);
    t.same([...space.keys()].sort(), [...keys].sort(), 'lists its own only');
    t.equal(space === cache ? cache.size / everywhere.length : space.size, keys.length);
  }
  t.equal(cache.namespace('a').name, 'a');
  for (const bad of [5, undefined, null, {}])
    t.throws(() => cache.namespace(bad as never), { code: 'ERR_INVALID_ARGUMENT' });
  for (const long of ['x'.repeat(32_767), '€'.repeat(32_767), 'x'.repeat(100_000)])
    t.throws(() => cache.namespace(long), { code: 'ERR_INVALID_ARGUMENT', message: /32768 bytes/ });
  t.equal(cache.namespace('x'.repeat(32_766)).put('k', 'v'), true, 'the longest');
  let deep = cache.namespace('d');
  t.throws(
    () => {
      for (let i = 0; i < 100; i++) deep = deep.namespace('d');
    },
    { code: 'ERR_INVALID_ARGUMENT' },
  );
  t.end();
});

t.test('a namespace is a keyspace: every method works there', async (t) => {
  const cache = withCache<unknown>(t);
  const other = SharedCache.attach<unknown>(cache.handle).namespace('n');
  const n = cache.namespace('n');
  const longest = 'k'.repeat(65_536);
  n.put(longest, 1);
  t.equal(other.get(longest), 1, 'keys as long as in the cache itself');
  n.delete(longest);
  n.put('k', 1);
  t.equal(other.increment('k'), 2);
  t.equal(
    n.update('k', (v) => `${v}!`),
    '2!',
  );
  t.equal(other.putIfAbsent('k', 1), false);
  t.equal(other.take('k'), '2!');
  t.equal(
    n.putMany([
      ['a', 1],
      ['b', 2],
    ]),
    2,
  );
  t.same(other.getMany(['a', 'b', 'c']), [1, 2, undefined]);
  t.equal(other.longestPrefix(['a', 'b', 'c']), 2);
  t.same([...other].sort(), [
    ['a', 1],
    ['b', 2],
  ]);
  t.equal(await n.getOrSet('l', async () => 5), 5);
  t.equal(
    other.getOrSetSync('l', () => 6),
    5,
  );
  t.equal(cache.get('l'), undefined);
  t.equal(n.touch('a', 100_000), true);
  t.ok((other.expiresIn('a') ?? 0) <= 100_000);
  t.equal(n.deleteMany(['a', 'x']), 1);
  t.same(other.hasMany(['a', 'b']), [false, true]);
  t.equal(n.entry('b')?.value, 2);
  t.throws(() => n.get(5 as never), { code: 'ERR_INVALID_KEY' });
  t.end();
});

t.test('allKeys lists what is inside, each key with its namespaces', (t) => {
  const cache = withCache<number>(t);
  const outer = cache.namespace('outer/ü');
  const inner = outer.namespace('');
  const listed = (space: { allKeys(): Iterable<PlacedKey> }): PlacedKey[] =>
    [...space.allKeys()].sort((a, b) => a.namespaces.length - b.namespaces.length);
  t.same(listed(cache), []);
  cache.put('k', 1);
  outer.put('k', 2);
  inner.put('', 3);
  cache.namespace('cleared').put('k', 4);
  cache.namespace('cleared').clear();
  t.same(listed(cache), [
    { key: 'k', namespaces: [] },
    { key: 'k', namespaces: ['outer/ü'] },
    { key: '', namespaces: ['outer/ü', ''] },
  ]);
  t.same(
    listed(outer),
    [
      { key: 'k', namespaces: [] },
      { key: '', namespaces: [''] },
    ],
    'as seen from there',
  );
  t.same(listed(inner), [{ key: '', namespaces: [] }]);
  const attached = SharedCache.attach(cache.handle);
  const listing = attached.allKeys();
  listing.next();
  attached.close();
  t.throws(() => [...listing], { code: 'ERR_CLOSED' });
  t.end();
});

t.test('clear and invalidateTags of a namespace stay inside', (t) => {
  const cache = withCache<number>(t);
  const outer = cache.namespace('outer');
  const inner = outer.namespace('inner');
  const beside = cache.namespace('beside');
  const all = [cache, outer, inner, beside];
  const fill = (): void => {
    for (const space of all) space.put('k', 1, { tags: ['t'] });
  };
  const held = (): boolean[] => all.map((space) => space.has('k'));
  fill();
  inner.clear();
  t.same(held(), [true, true, false, true]);
  fill();
  outer.clear();
  t.same(held(), [true, false, false, true], 'what is inside of it ends too');
  fill();
  outer.invalidateTags('t');
  t.same(held(), [true, false, true, true], 'its tags are its own');
  cache.invalidateTags('t');
  t.same(held(), [false, false, true, true]);
  fill();
  cache.clear();
  t.same(held(), [false, false, false, false], 'the cache clears everything');
  t.equal(cache.size, 0);
  t.end();
});
