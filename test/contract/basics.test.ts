import t from 'tap';
import { SharedCache } from '../../src/index.js';
import { newCache, withCache } from '../fixtures/with-cache.js';

t.test('put, get, delete', (t) => {
  const cache = withCache<string>(t);
  t.equal(cache.get('a'), undefined);
  t.equal(cache.put('a', 'one'), true);
  t.equal(cache.get('a'), 'one');
  t.equal(cache.put('a', 'two'), true);
  t.equal(cache.get('a'), 'two');
  t.equal(cache.size, 1);
  t.equal(cache.delete('a'), true);
  t.equal(cache.delete('a'), false);
  t.equal(cache.has('a'), false);
  t.end();
});

t.test('peek and has count nothing, get does', (t) => {
  const cache = withCache<number>(t);
  cache.put('a', 1);
  cache.peek('a');
  cache.peek('b');
  cache.has('a');
  t.match(cache.getStats(), { hits: 0, misses: 0, totalAccesses: 0, hitRatio: 0 });
  cache.get('a');
  cache.get('b');
  t.match(cache.getStats(), {
    hits: 1,
    misses: 1,
    totalAccesses: 2,
    hitRatio: 0.5,
    puts: 1,
    totalObjects: 1,
    threads: 1,
  });
  t.end();
});

t.test('putIfAbsent, update, increment', (t) => {
  const cache = withCache<unknown>(t);
  t.equal(cache.putIfAbsent('a', 1), true);
  t.equal(cache.putIfAbsent('a', 2), false);
  t.equal(cache.get('a'), 1);
  t.same(
    cache.update('o', (o) => ({ was: o })),
    { was: undefined },
  );
  t.same(
    cache.update('o', (o) => ({ was: o })),
    { was: { was: undefined } },
  );
  t.equal(
    cache.update('o', () => undefined),
    undefined,
  );
  t.equal(cache.has('o'), false);
  t.equal(cache.increment('n'), 1);
  t.equal(cache.increment('n', 2.5), 3.5);
  t.equal(cache.increment('n', -3.5), 0);
  t.equal(cache.get('n'), 0);
  cache.put('s', 'text');
  t.throws(() => cache.increment('s'), { code: 'ERR_INVALID_VALUE' });
  t.equal(cache.get('s'), 'text');
  t.throws(() => cache.increment('n', '1' as never), { code: 'ERR_INVALID_ARGUMENT' });
  t.end();
});

t.test('update runs its callback again after a lost race, and may use the cache', (t) => {
  const cache = withCache<number>(t);
  let runs = 0;
  const result = cache.update('a', (current) => {
    if (runs++ === 0) cache.put('a', 10);
    return (current ?? 0) + 1;
  });
  t.equal(result, 11);
  t.equal(runs, 2);
  t.end();
});

t.test('a getter that uses the cache while its value is stored', (t) => {
  const cache = withCache<unknown>(t);
  const value = {
    get inner() {
      cache.put('inner', 'written by the getter');
      return 1;
    },
  };
  cache.put('outer', value);
  t.same(cache.get('outer'), { inner: 1 });
  t.equal(cache.get('inner'), 'written by the getter');
  t.equal(cache.putIfAbsent('outer 2', value), true);
  t.same(cache.get('outer 2'), { inner: 1 });
  t.end();
});

t.test('many keys', (t) => {
  const cache = withCache<number>(t);
  t.equal(
    cache.putMany([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]),
    3,
  );
  t.same(cache.getMany(['b', 'x', 'a']), [2, undefined, 1]);
  const before = cache.getStats();
  t.equal(cache.longestPrefix(['a', 'b', 'x', 'c']), 2);
  t.equal(cache.getStats().hits - before.hits, 2);
  t.equal(cache.getStats().misses - before.misses, 1);
  t.equal(cache.longestPrefix([]), 0);
  t.equal(cache.longestPrefix(['a', 'b', 'c']), 3);
  t.throws(
    () =>
      cache.putMany([
        ['d', 4],
        ['e', undefined as never],
      ]),
    { code: 'ERR_INVALID_VALUE' },
  );
  t.equal(cache.has('d'), false, 'all are validated before the first is stored');
  t.same([...cache.keys()].sort(), ['a', 'b', 'c']);
  t.same([...cache.values()].sort(), [1, 2, 3]);
  t.same(
    new Map(cache),
    new Map([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]),
  );
  cache.clear();
  t.equal(cache.size, 0);
  t.same([...cache.entries()], []);
  t.end();
});

t.test('what get returns is the caller’s own', (t) => {
  const cache = withCache<unknown>(t);
  const list = [1, [2]];
  const bytes = Buffer.from('abc');
  cache.put('list', list);
  cache.put('bytes', bytes);
  (list[1] as number[]).push(3);
  bytes[0] = 0;
  const first = cache.get('list') as unknown[];
  t.same(first, [1, [2]]);
  first.push('changed');
  t.same(cache.get('list'), [1, [2]]);
  const copy = cache.get('bytes') as Buffer;
  t.equal(copy.toString(), 'abc');
  copy[0] = 0;
  t.equal((cache.get('bytes') as Buffer).toString(), 'abc');
  t.end();
});

t.test('larger than can ever be stored', (t) => {
  const cache = withCache<unknown>(t, { maxBytes: '1MB' });
  cache.put('small', 'stays');
  cache.put('big', 'old');
  t.ok(cache.maxEntryBytes >= 2 ** 20 / 16);
  t.equal(cache.put('big', Buffer.alloc(cache.maxEntryBytes + 1)), false);
  t.equal(cache.has('big'), false, 'the old value is gone');
  t.equal(cache.get('small'), 'stays');
  t.match(cache.getStats(), { rejections: 1, evictions: 0 });
  const largest = Buffer.alloc(cache.maxEntryBytes - 3, 7);
  t.equal(cache.put('big', largest), true);
  t.ok((cache.get('big') as Buffer).equals(largest));
  t.equal(cache.put('big', largest), true, 'and once more over itself');
  t.end();
});

t.test('a namespace stores what its own largest entry says', (t) => {
  const cache = withCache<unknown>(t, { maxBytes: '1MB' });
  for (const keyspace of [cache, cache.namespace('outer'), cache.namespace('outer').namespace('ïnner')]) {
    const largest = Buffer.alloc(keyspace.maxEntryBytes - 1, 7);
    t.equal(keyspace.put('k', largest), true);
    t.ok((keyspace.get('k') as Buffer).equals(largest));
    t.equal(keyspace.put('k', Buffer.alloc(keyspace.maxEntryBytes)), false);
  }
  t.end();
});

t.test('close and attach', (t) => {
  const cache = newCache<string>({ maxBytes: '1MB' });
  const second = SharedCache.attach<string>(structuredClone(cache.handle));
  cache.put('a', 'seen');
  t.equal(second.get('a'), 'seen');
  t.equal(cache.getStats().threads, 1, 'one thread, attached twice');
  cache.close();
  cache.close();
  t.throws(() => cache.get('a'), { code: 'ERR_CLOSED' });
  t.equal(second.get('a'), 'seen', 'the other one goes on');
  second[Symbol.dispose]();
  t.throws(() => second.put('a', 'b'), { code: 'ERR_CLOSED' });
  for (const bad of [
    undefined,
    null,
    1,
    {},
    { kind: 'mooncake-cache' },
    { kind: 'mooncake-cache', buffers: { control: new SharedArrayBuffer(8), segments: [] } },
  ]) {
    t.throws(() => SharedCache.attach(bad as never), { code: 'ERR_INVALID_HANDLE' });
  }
  t.end();
});
