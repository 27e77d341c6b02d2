import t from 'tap';
import { withCache } from '../fixtures/with-cache.js';

t.test('a missing key is loaded, a present one is not', async (t) => {
  const cache = withCache<unknown>(t);
  t.equal(await cache.getOrSet('a', async (key) => `${key}!`), 'a!');
  t.equal(await cache.getOrSet('a', () => t.fail('loaded twice')), 'a!');
  t.equal(
    cache.getOrSetSync('b', (key) => key.length),
    1,
  );
  t.equal(
    cache.getOrSetSync('b', () => t.fail('computed twice')),
    1,
  );
  t.equal(await cache.getOrSet('nothing', () => null), null);
  t.equal(await cache.getOrSet('nothing', () => t.fail('null is a value')), null);
  t.match(cache.getStats(), { loads: 3 });
});

t.test('callers of one thread share a load', async (t) => {
  const cache = withCache<number>(t);
  let runs = 0;
  const load = async (): Promise<number> => {
    runs++;
    await new Promise((resolve) => setImmediate(resolve));
    return 7;
  };
  const values = await Promise.all(Array.from({ length: 50 }, () => cache.getOrSet('k', load)));
  t.equal(runs, 1);
  t.ok(values.every((value) => value === 7));
  t.match(cache.getStats(), { loads: 1, waits: 49 });
});

t.test('a loader that throws: its callers get the error, the next one loads again', async (t) => {
  const cache = withCache<number>(t);
  const failing = Array.from({ length: 3 }, () => cache.getOrSet('k', async () => Promise.reject(new Error('mine'))));
  for (const call of failing) await t.rejects(call, { message: 'mine' });
  t.throws(
    () =>
      cache.getOrSetSync('k', () => {
        throw new Error('too');
      }),
    { message: 'too' },
  );
  t.equal(await cache.getOrSet('k', () => 5), 5);
});

t.test('what the cache refuses is still returned', async (t) => {
  const cache = withCache<Buffer>(t, { maxBytes: '1MB' });
  const large = Buffer.alloc(cache.maxEntryBytes + 1);
  t.equal((await cache.getOrSet('k', () => large)).length, large.length);
  t.equal(cache.getOrSetSync('k', () => large).length, large.length);
  t.equal(cache.has('k'), false);
});

t.test('ttl, and a put meanwhile', async (t) => {
  const cache = withCache<number>(t);
  await cache.getOrSet('short', () => 1, { ttl: 500 });
  t.ok((cache.expiresIn('short') as number) <= 500);
  const value = await cache.getOrSet('k', async () => {
    cache.put('k', 1);
    return 2;
  });
  t.equal(value, 2);
  t.equal(cache.get('k'), 1, 'what was put while it was loaded stays');
  await t.rejects(
    cache.getOrSet('x', () => 1, { ttl: -1 }),
    { code: 'ERR_INVALID_TTL' },
  );
  await t.rejects(cache.getOrSet('x', 5 as never), { code: 'ERR_INVALID_ARGUMENT' });
  await t.rejects(
    cache.getOrSet(5 as never, () => 1),
    { code: 'ERR_INVALID_KEY' },
  );
});

t.test('staleTtl: the old value while one caller refreshes', async (t) => {
  const cache = withCache<number>(t);
  await cache.getOrSet('k', () => 1, { ttl: 0, staleTtl: 60_000 });
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let refreshes = 0;
  const load = async (): Promise<number> => {
    refreshes++;
    await gate;
    return 2;
  };
  const options = { ttl: 60_000, staleTtl: 60_000 };
  t.equal(await cache.getOrSet('k', load, options), 1);
  t.equal(await cache.getOrSet('k', load, options), 1);
  release();
  while (cache.peek('k') !== 2) await new Promise((resolve) => setImmediate(resolve));
  t.equal(await cache.getOrSet('k', load, options), 2);
  t.equal(refreshes, 1);
});

t.test('staleTtl, synchronously: who computes gets the new value, and everyone else the old one', async (t) => {
  const cache = withCache<number>(t);
  cache.getOrSetSync('k', () => 1, { ttl: 0, staleTtl: 60_000 });
  const options = { ttl: 60_000, staleTtl: 60_000 };
  const meanwhile: number[] = [];
  const compute = (): number => {
    meanwhile.push(cache.getOrSetSync('k', () => 3, options));
    return 2;
  };
  t.throws(
    () =>
      cache.getOrSetSync(
        'k',
        () => {
          throw new Error('mine');
        },
        options,
      ),
    { message: 'mine' },
  );
  t.equal(cache.getOrSetSync('k', compute, options), 2);
  t.same(meanwhile, [1]);
  for (let i = 0; i < 3; i++)
    t.equal(
      cache.getOrSetSync('k', () => 4, options),
      2,
      'fresh, from the table and from near',
    );
  t.throws(() => cache.getOrSetSync('k', () => 1, { staleTtl: Number.POSITIVE_INFINITY }), { code: 'ERR_INVALID_TTL' });
});

t.test('a signal ends the wait, not the load', async (t) => {
  const cache = withCache<number>(t);
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const load = async (): Promise<number> => {
    await gate;
    return 3;
  };
  const controller = new AbortController();
  const aborted = cache.getOrSet('k', load, { signal: controller.signal });
  const patient = cache.getOrSet('k', load);
  controller.abort(new Error('enough'));
  await t.rejects(aborted, { message: 'enough' });
  await t.rejects(cache.getOrSet('other', load, { signal: controller.signal }), { message: 'enough' });
  release();
  t.equal(await patient, 3);
});

t.test('recursion', async (t) => {
  const cache = withCache<number>(t);
  t.equal(
    await cache.getOrSet('a', async () => (await cache.getOrSet('b', () => 1)) + 1),
    2,
    'for another key it works',
  );
  t.equal(
    cache.getOrSetSync('c', () => cache.getOrSetSync('d', () => 1) + 1),
    2,
  );
  await t.rejects(
    cache.getOrSet('e', () => cache.getOrSet('e', () => 1)),
    { code: 'ERR_RECURSIVE_LOAD' },
  );
  t.throws(() => cache.getOrSetSync('f', () => cache.getOrSetSync('f', () => 1)), { code: 'ERR_RECURSIVE_LOAD' });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const circle = await Promise.allSettled([
    cache.getOrSet('g', async () => {
      await turn();
      return cache.getOrSet('h', () => 1);
    }),
    cache.getOrSet('h', async () => {
      await turn();
      return cache.getOrSet('g', () => 1);
    }),
  ]);
  t.ok(circle.some((result) => result.status === 'rejected' && result.reason.code === 'ERR_RECURSIVE_LOAD'));
});
