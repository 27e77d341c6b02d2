/** Apollo's own suite, and the real cache-manager and unstorage. */
import type { KeyValueCache } from '@apollo/utils.keyvaluecache';
import { runKeyValueCacheTests } from 'apollo-server-caching';
import { createCache } from 'cache-manager';
import t from 'tap';
import { createStorage } from 'unstorage';
import { apolloCache } from '../../src/adapters/apollo.js';
import { cacheManagerStore } from '../../src/adapters/cache-manager.js';
import { unstorageDriver } from '../../src/adapters/unstorage.js';
import { until } from '../fixtures/fleet.js';
import { withCache } from '../fixtures/with-cache.js';

t.test("Apollo's suite", async (t) => {
  let now = 0;
  const cache = withCache(t, { now: () => now });
  const apollo: KeyValueCache<string> = apolloCache(cache);
  await runKeyValueCacheTests(apollo, (ms) => {
    now += ms;
  });
  await apollo.set('odd', 'value', { ttl: Number.NaN });
  await apollo.set('over', 'value', { ttl: -1 });
  t.equal(await apollo.get('odd'), 'value', 'what is no TTL is none');
  t.equal(await apollo.get('over'), undefined);
  t.equal(cache.expiresIn('hello'), 3_600_000 - now, 'the default is that of the cache');
  await apollo.set('large', 'x'.repeat(8_000_000));
  t.equal(await apollo.get('large'), undefined);
});

t.test('cache-manager', async (t) => {
  const cache = withCache(t);
  const [one, two] = [0, 1].map(() => createCache({ stores: [cacheManagerStore(cache, { namespace: 'cm' })] }));
  const value = { at: new Date(0), tags: new Set(['a']) };
  await one.set('k', value, 60_000);
  t.strictSame(await two.get('k'), value, 'values keep their kinds');
  t.ok(((await two.ttl('k')) ?? 0) > Date.now());
  await one.mset([
    { key: 'a', value: 1 },
    { key: 'b', value: 2 },
  ]);
  t.strictSame(await two.mget(['a', 'b', 'c']), [1, 2, undefined]);
  t.equal(await two.wrap('a', () => t.fail('it is there')), 1);
  let loads = 0;
  for (const each of [one, two]) t.equal(await each.wrap('w', () => ++loads, 60_000), 1);
  await two.mdel(['a', 'b']);
  t.equal(await one.get('a'), undefined);
  await one.del('w');
  t.equal(await two.get('w'), undefined);
  await one.set('brief', 1, 5);
  await until(async () => (await two.get('brief')) === undefined, 'the end of its time');
  cache.put('mine', 1);
  await one.clear();
  t.equal(await two.get('k'), undefined);
  t.equal(cache.get('mine'), 1);
  await one.set('large', 'x'.repeat(8_000_000));
  t.equal(await one.get('large'), undefined);
});

t.test('unstorage', async (t) => {
  const cache = withCache(t);
  const storage = createStorage({ driver: unstorageDriver(cache) });
  await storage.setItem('s1:a', 'test_data');
  await storage.setItem('s2:a', { json: true });
  await storage.setItem('s3:a', 7, { ttl: 60 });
  t.equal(await storage.hasItem('s1:a'), true);
  t.equal(await storage.getItem('s1:a'), 'test_data');
  t.strictSame(await storage.getItem('s2:a'), { json: true });
  t.equal(await storage.getItem('none'), null);
  const left = cache.expiresIn('s3:a') ?? 0;
  t.ok(left > 59_000 && left <= 60_000, 'seconds');
  t.ok(((await storage.getMeta('s3:a')).ttl ?? 0) > 59);
  t.equal(cache.expiresIn('s1:a'), Number.POSITIVE_INFINITY);
  await storage.setItem('s4:a', 1, { ttl: 0.005 });
  await until(async () => (await storage.getItem('s4:a')) === null, 'the end of its time');
  t.strictSame((await storage.getKeys()).sort(), ['s1:a', 's2:a', 's3:a']);
  t.strictSame(await storage.getKeys('s2'), ['s2:a']);
  const bytes = Uint8Array.of(0, 200, 255);
  await storage.setItemRaw('raw', bytes);
  t.strictSame(await storage.getItemRaw('raw'), bytes);
  await storage.setItems([
    { key: 'm1', value: 1 },
    { key: 'm2', value: 2 },
  ]);
  t.strictSame(
    (await storage.getItems(['m1', 'm2'])).map(({ value }) => value),
    [1, 2],
  );
  await storage.setItem('s1:a', undefined as never);
  t.equal(await storage.hasItem('s1:a'), false, 'undefined removes');
  await storage.setItem('s1:zero', 1, { ttl: 0 });
  t.equal(cache.expiresIn('s1:zero'), Number.POSITIVE_INFINITY, 'as in its own drivers');
  await unstorageDriver(cache).clear?.('s2:', {});
  t.equal(await storage.getItem('s2:a'), null);
  t.equal(await storage.getItem('s3:a'), 7);
  await storage.setItem('large', 'x'.repeat(8_000_000));
  t.equal(await storage.getItem('large'), null);
  const other = createStorage({ driver: unstorageDriver(cache) });
  const heard: string[] = [];
  await storage.watch((event, key) => heard.push(`${event} ${key}`));
  await other.setItem('w', 1);
  await storage.setItem('w', 2);
  await storage.removeItem('w');
  t.strictSame(heard, ['update w', 'remove w'], 'a watcher hears of its own storage');
  await storage.clear();
  t.strictSame(await storage.getKeys(), []);
  const short = createStorage({ driver: unstorageDriver(cache, { ttl: 5 }) });
  await short.setItem('k', 1);
  t.ok((cache.expiresIn('k') ?? Number.NaN) <= 5_000);
  await short.dispose();
  t.equal(cache.closed, false);
});
