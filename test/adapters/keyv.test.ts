/** Keyv's own suite, for Keyv 5 and for Keyv 6, and what neither covers. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import suite, { keyvIteratorTests } from '@keyv/test-suite';
import { Keyv, type KeyvStoreAdapter } from 'keyv';
import { Keyv as Keyv6 } from 'keyv6';
import t from 'tap';
import { keyvStore } from '../../src/adapters/keyv.js';
import { asVitest } from '../fixtures/public-suite.js';
import { withCache } from '../fixtures/with-cache.js';

type Test = Parameters<typeof suite>[0];
type Store = Parameters<typeof suite>[2];

for (const [name, Class] of Object.entries({ 'Keyv 5': Keyv, 'Keyv 6': Keyv6 })) {
  t.test(`the public suite with ${name}`, async (t) => {
    const cache = withCache(t);
    const store = (() => keyvStore(cache)) as unknown as Store;
    // Keyv 6 answers for each key where the suite, which is Keyv 5's, wants one answer for all.
    const except = Class === Keyv ? undefined : '.deleteMany([keys]) with nonexistent keys resolves to false';
    suite(asVitest(t, except) as Test, Class as unknown as typeof Keyv, store);
  });

  t.test(`${name}: deleteMany, TTLs, namespaces, too large values`, async (t) => {
    const cache = withCache(t, { ttl: 1_000 });
    const Any = Class as unknown as typeof Keyv;
    const store: KeyvStoreAdapter = keyvStore(cache);
    const keyv = new Any({ store, namespace: 'a' });
    const other = new Any({ store: keyvStore(cache), namespace: 'b' });
    await keyv.set('x', 1);
    await keyv.set('y', 2, 60_000);
    await other.set('x', 3);
    const lifetimes = [...cache.keys()].map((key) => cache.expiresIn(key) ?? 0).sort((a, b) => a - b);
    t.ok(lifetimes[0] > 59_000 && lifetimes[0] <= 60_000);
    t.equal(lifetimes[2], Number.POSITIVE_INFINITY, 'without a TTL for ever, whatever the default of the cache is');
    const found: unknown[] = [];
    for await (const [key, value] of keyv.iterator?.(undefined) ?? []) found.push([key, value]);
    t.strictSame(found.sort(), [
      ['x', 1],
      ['y', 2],
    ]);
    const deleted: unknown = await keyv.deleteMany(['x', 'y']);
    t.strictSame(deleted, Any === Keyv ? true : [true, true]);
    await keyv.set('x', 1);
    await keyv.clear();
    t.equal(await keyv.get('x'), undefined);
    t.equal(await other.get('x'), 3);
    t.equal(await keyv.set('large', 'x'.repeat(8_000_000)), false);
    t.equal(await keyv.get('large'), undefined);
  });
}

t.test('the public suite for iterators with Keyv 5', async (t) => {
  const cache = withCache(t);
  const store = (() => keyvStore(cache)) as unknown as Store;
  keyvIteratorTests(asVitest(t) as Test, Keyv as unknown as Parameters<typeof suite>[1], store);
});

t.test('another thread reads what Keyv wrote', async (t) => {
  const cache = withCache(t);
  await new Keyv({ store: keyvStore(cache) }).set('from', 'main');
  const script = `const { workerData, parentPort } = require('node:worker_threads');
    Promise.all(['mooncake-cache', 'mooncake-cache/adapters/keyv', 'keyv'].map((name) => import(name)))
      .then(async ([{ SharedCache }, { keyvStore }, { Keyv }]) => {
        const cache = SharedCache.attach(workerData);
        parentPort.postMessage(await new Keyv({ store: keyvStore(cache) }).get('from'));
        cache.close();
      });`;
  const worker = new Worker(script, { eval: true, workerData: cache.handle, execArgv: [] });
  const exit = once(worker, 'exit');
  t.equal((await once(worker, 'message'))[0], 'main');
  await exit;
});
