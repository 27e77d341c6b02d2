/** One loader in the fleet, fills that nothing overtakes, and values past their TTL. */
import { inspect } from 'node:util';
import t from 'tap';
import { SharedCache } from '../../src/index.js';
import type { TieredCache } from '../../src/tier/index.js';
import { join, NO_SERVER, startFor, until, urlOf } from '../fixtures/fleet.js';
import { startProxy } from '../fixtures/proxy.js';

t.setTimeout(120_000);

/** A promise with its handles: what a loader waits for until the test says so. */
function gate(): { promise: Promise<void>; open: () => void } {
  let open = (): void => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

t.test('loads', { skip: NO_SERVER }, async (t) => {
  const server = await startFor(t);
  const remote = { url: urlOf(server) };
  const a = await join(t, remote);
  const b = await join(t, remote);
  await a.put('first', 1);

  t.test('one loader for all callers of all members', async (t) => {
    let loads = 0;
    const { promise, open } = gate();
    const load = async (): Promise<object> => {
      loads++;
      await promise;
      return { loads };
    };
    const calls = Array.from({ length: 40 }, (_, i) => (i % 2 ? a : b).getOrSet('one', load));
    await until(() => loads === 1 && a.getStats().remote.waits + b.getStats().remote.waits > 0);
    open();
    for (const value of await Promise.all(calls)) t.strictSame(value, { loads: 1 });
    t.equal(loads, 1);
    t.equal(a.getStats().remote.loads + b.getStats().remote.loads, 1);
  });

  t.test('a load that joins a get which finds nothing loads all the same', async (t) => {
    const got = a.get('joined');
    const inCache = a.local.getOrSet('joined in the cache', () => 2);
    t.equal(await a.getOrSet('joined', () => 1), 1);
    t.equal(await got, undefined);
    const gotToo = a.get('joined by the cache');
    t.equal(await a.local.getOrSet('joined by the cache', () => 3), 3);
    t.strictSame(await Promise.all([gotToo, inCache]), [undefined, 2]);
  });

  t.test('each caller has a copy of its own', async (t) => {
    const made = { n: 1 };
    const [x, y] = await Promise.all([a.getOrSet('copy', () => made), a.getOrSet('copy', () => made)]);
    (x as typeof made).n = 2;
    made.n = 3;
    t.strictSame([y, await b.get('copy'), await a.get('copy')], [{ n: 1 }, { n: 1 }, { n: 1 }]);
  });

  t.test('a loader that fails frees the others, who load', async (t) => {
    const { promise, open } = gate();
    let isLoading = false;
    const failing = a.getOrSet('fails', async () => {
      isLoading = true;
      await promise;
      throw new RangeError('no');
    });
    let started = 0;
    await until(() => isLoading);
    const before = b.getStats().remote.waits;
    const other = b.getOrSet('fails', () => ++started);
    await until(() => b.getStats().remote.waits > before);
    const start = performance.now();
    open();
    await t.rejects(failing, new RangeError('no'));
    t.equal(await other, 1);
    t.ok(performance.now() - start < 4_000, 'long before the lease would have ended');
    await t.rejects(a.getOrSet('nothing', (() => undefined) as never), { code: 'ERR_INVALID_VALUE' });
    t.equal(await b.getOrSet('nothing', () => 'something'), 'something');
  });

  for (const [what, overtake] of Object.entries<(cache: TieredCache, key: string) => Promise<unknown>>({
    put: (cache, key) => cache.put(key, 'newer'),
    delete: (cache, key) => cache.delete(key),
    take: (cache, key) => cache.take(key),
    increment: (cache, key) => cache.increment(key),
    invalidateTags: (cache) => cache.invalidateTags('tag'),
    'invalidateTags of a tag the loader gave': (cache) => cache.invalidateTags('given'),
    clear: (cache) => cache.clear(),
  })) {
    t.test(`a load that a ${what} overtakes is handed out and not kept`, async (t) => {
      for (const [loader, other] of [
        [a, b],
        [a, a],
      ]) {
        const key = `overtaken by ${what} of ${other === a ? 'its own' : 'another'}`;
        const { promise, open } = gate();
        let isRunning = false;
        const load = loader.getOrSet(
          key,
          async (_, { setTags }) => {
            setTags(['tag', 'given']);
            isRunning = true;
            await promise;
            return 'older';
          },
          { tags: ['tag'] },
        );
        await until(() => isRunning);
        await overtake(other, key);
        const expected = what === 'put' ? 'newer' : what === 'increment' ? 1 : undefined;
        open();
        t.equal(await load, 'older');
        t.equal(await other.get(key), expected);
        await until(async () => (await loader.get(key)) === expected);
      }
    });
  }

  t.test('setTtl, setTags, skip and stale', async (t) => {
    await a.getOrSet('set', (_, { setTtl, setTags }) => {
      setTtl('1h');
      setTags(['mine']);
      return 1;
    });
    const left = (await b.expiresIn('set')) as number;
    t.ok(left > 3_590_000 && left < 3_600_500, `${left}`);
    await b.invalidateTags('mine');
    t.equal(await b.getOrSet('set', () => 2), 2);
    t.equal(
      await a.getOrSet('skipped', (_, { skip }) => {
        skip();
        return 1;
      }),
      1,
    );
    t.equal(await b.get('skipped'), undefined);
    t.equal(await a.get('skipped'), undefined);
  });

  t.test('grace: an old value instead of an error, also one that only the remote has', async (t) => {
    const fails = (): never => {
      throw new Error('the database is gone');
    };
    await a.getOrSet('old', () => 'old', { ttl: 50, grace: '1m' });
    await until(async () => (await a.get('old')) === undefined);
    t.equal(await a.getOrSet('old', fails, { grace: '1m' }), 'old');
    t.equal(await b.getOrSet('old', fails, { grace: '1m' }), 'old', 'from the remote');
    await t.rejects(b.getOrSet('old', fails), { message: 'the database is gone' });
    t.equal(await b.get('old'), undefined);
    t.equal(await b.getOrSet('old', (_, { stale }) => `${String(stale)}er`, { grace: '1m' }), 'older');
    t.equal(await a.get('old'), 'older');
  });

  t.test('softMs: a value within grace is handed out, and the load goes on', async (t) => {
    const soft = await join(t, remote, { timeouts: { softMs: 30 }, grace: '1m' });
    await soft.put('soft', { v: 1 }, { ttl: 50 });
    await until(async () => (await soft.get('soft')) === undefined);
    await until(async () => soft.local.entry('soft') === undefined);
    const { promise, open } = gate();
    const load = async (): Promise<object> => {
      await promise;
      return { v: 2 };
    };
    const first = await soft.getOrSet('soft', load, { ttl: '1h' });
    t.match([{ v: 1 }, { v: 2 }], [first]);
    open();
    await until(async () => ((await soft.get('soft')) as { v: number } | undefined)?.v === 2);
  });

  t.test('force, refreshAhead and staleTtl', async (t) => {
    let n = 0;
    const load = (): number => ++n;
    t.equal(await a.getOrSet('forced', load), 1);
    t.equal(await a.getOrSet('forced', load), 1);
    t.equal(await a.getOrSet('forced', load, { force: true }), 2);
    await until(async () => (await b.get('forced')) === 2);
    n = 0;
    const ahead = { ttl: 60_000, refreshAhead: 1 };
    t.equal(await a.getOrSet('ahead', load, ahead), 1);
    await until(async () => ((await a.getOrSet('ahead', load, ahead)) as number) > 1);
    n = 0;
    const stale = { ttl: 40, staleTtl: 60_000 };
    t.equal(await a.getOrSet('stale', load, stale), 1);
    await until(async () => ((await a.getOrSet('stale', load, stale)) as number) > 1);
    t.ok(((await b.get('stale')) as number) >= 1);
  });

  t.test('wrap', async (t) => {
    let calls = 0;
    const slow = async (x: number, y: number): Promise<number> => {
      calls++;
      return x * y;
    };
    const options = { key: (x: number, y: number): string => `product ${x} ${y}`, ttl: '5m' };
    const [inA, inB] = [
      a.wrap(slow as never, options as never),
      b.wrap(slow as never, options as never),
    ] as unknown as (typeof slow)[];
    t.throws(() => a.wrap(slow as never, undefined as never), { code: 'ERR_INVALID_OPTION' });
    t.strictSame(await Promise.all([inA(3, 4), inB(3, 4), inA(3, 4)]), [12, 12, 12]);
    t.equal(calls, 1);
  });

  t.test('a loader that uses the cache, and its own key', async (t) => {
    const value = await a.getOrSet('outer', async (key) => {
      await a.put(key, 'from inside');
      return `outer ${await a.getOrSet('inner', () => 'inner')}`;
    });
    t.equal(value, 'outer inner');
    t.equal(await b.get('outer'), 'from inside', 'the write overtook the load');
    await t.rejects(
      a.getOrSet('itself', () => a.getOrSet('itself', () => 1)),
      { code: 'ERR_RECURSIVE_LOAD' },
    );
  });

  t.test('an abort ends the wait of its caller only', async (t) => {
    const { promise, open } = gate();
    const abort = new AbortController();
    const load = async (): Promise<string> => {
      await promise;
      return 'loaded';
    };
    const aborted = a.getOrSet('abort', load, { signal: abort.signal });
    const other = a.getOrSet('abort', load);
    abort.abort(new Error('enough'));
    await t.rejects(aborted, { message: 'enough' });
    open();
    t.equal(await other, 'loaded');
  });
});

t.test(
  'while the remote is gone one loads on each machine, and what came from it ends',
  { skip: NO_SERVER },
  async (t) => {
    const server = await startFor(t);
    const proxy = await startProxy(server);
    t.teardown(() => proxy.stop());
    const cache = await join(t, { url: urlOf(proxy) }, { localTtl: 300 });
    await cache.put('first', 1);
    await cache.put('k', 'remote', { ttl: '1h' });
    await until(async () => (await cache.get('k')) === 'remote' && cache.local.has('k'));
    proxy.isClosed = true;
    proxy.cut();
    await until(() => cache.status === 'down');
    let loads = 0;
    const { promise, open } = gate();
    const load = async (): Promise<number> => {
      await promise;
      return ++loads;
    };
    const calls = Array.from({ length: 10 }, () => cache.getOrSet('alone', load));
    await cache.put('own', 'mine', { ttl: '1h' });
    await until(() => !cache.local.has('k'), 'localTtl ends it');
    t.equal(cache.local.get('own'), 'mine', 'what was put here does not end with it');
    open();
    t.strictSame(
      await Promise.all(calls),
      Array.from({ length: 10 }, () => 1),
    );
  },
);

t.test('options, names and closing', { skip: NO_SERVER }, async (t) => {
  const server = await startFor(t);
  const remote = { url: urlOf(server) };
  const { TieredCache } = await import('../../src/tier/index.js');
  const local = new SharedCache({ maxBytes: '4MB' });
  t.teardown(() => local.close());
  const good = { local, remote, prefix: 'app:' };
  for (const bad of [
    undefined,
    {},
    { ...good, local: {} },
    { ...good, remote: undefined },
    { ...good, remote: { cluster: 1 } },
    { ...good, remote: { ...remote, socket: { reconnectStrategy: () => 5 } } },
    { ...good, prefix: '' },
    { ...good, prefix: 'a{' },
    { ...good, prefix: '{}' },
    { ...good, prefix: 'x\0' },
    { ...good, perfix: 'x' },
    { ...good, timeouts: { remoteMs: 0 } },
    { ...good, timeouts: { soft: 5 } },
    { ...good, breaker: { failures: -1 } },
    { ...good, grace: Infinity },
  ]) {
    await t.rejects(TieredCache.open(bad as never), { code: 'ERR_INVALID_OPTION' }, Object.keys(bad ?? {}).join());
  }
  await t.rejects(TieredCache.open({ ...good, ttl: 'nonsense' }), { code: 'ERR_INVALID_TTL' });
  const cache = await TieredCache.open({ ...good, ttl: '1h' });
  t.equal(cache.local, local);
  for (const key of [5, undefined, 'x'.repeat(70_000)]) {
    await t.rejects(cache.get(key as never), { code: 'ERR_INVALID_KEY' });
    await t.rejects(cache.put(key as never, 1), { code: 'ERR_INVALID_KEY' });
    await t.rejects(cache.delete(key as never), { code: 'ERR_INVALID_KEY' });
    await t.rejects(cache.increment(key as never), { code: 'ERR_INVALID_KEY' });
    await t.rejects(
      cache.getOrSet(key as never, () => 1),
      { code: 'ERR_INVALID_KEY' },
    );
    await t.rejects(cache.getMany(['ok', key as never]), { code: 'ERR_INVALID_KEY' });
    await t.rejects(
      cache.putMany([
        ['ok', 1],
        [key as never, 1],
      ]),
      { code: 'ERR_INVALID_KEY' },
    );
  }
  t.equal(await cache.get('ok'), undefined, 'bad input changes nothing');
  await t.rejects(cache.put('k', (() => {}) as never), { code: 'ERR_INVALID_VALUE' });
  await t.rejects(cache.put('k', 1, { ttl: -1 }), { code: 'ERR_INVALID_TTL' });
  await t.rejects(cache.put('k', 1, { tlt: 5 } as never), { code: 'ERR_INVALID_OPTION' });
  await t.rejects(cache.put('k', 1, { tags: [''] }), { code: 'ERR_INVALID_ARGUMENT' });
  await t.rejects(cache.getOrSet('k', 5 as never), { code: 'ERR_INVALID_ARGUMENT' });
  t.throws(() => cache.namespace(5 as never), { code: 'ERR_INVALID_ARGUMENT' });
  t.throws(() => cache.onStatus(5 as never), { code: 'ERR_INVALID_ARGUMENT' });
  await t.rejects(TieredCache.open({ ...good, prefix: 'other:' }), { code: 'ERR_INVALID_OPTION' }, 'one fleet only');
  const again = await TieredCache.open(good);
  t.strictSame([await cache.put('k', 1), await again.has('k'), await again.has('l')], [true, true, false]);
  await again.close();
  t.ok(((await cache.expiresIn('k')) as number) <= 3_600_500);
  const { local: near, remote: far } = cache.getStats();
  t.equal(near.maxBytes, local.getStats().maxBytes);
  t.equal(typeof far.hits, 'number');
  const space = cache.namespace('n');
  await Promise.all([cache.close(), cache.close()]);
  t.equal(cache.closed, true);
  t.equal(cache.status, 'down');
  await t.rejects(cache.get('k'), { code: 'ERR_CLOSED' });
  await t.rejects(space.put('k', 1), { code: 'ERR_CLOSED' });
  await t.rejects(cache.clear(), { code: 'ERR_CLOSED' });
  t.throws(() => cache.namespace('n'), { code: 'ERR_CLOSED' });
  await until(() => local.getStats().threads === 1);
  const other = await TieredCache.open({ ...good, prefix: 'other:' });
  t.equal(local.get('k'), undefined, 'what was of a fleet that it left is not of the next');
  await other.close();
  local.put('still', 'open');
  t.equal(local.get('still'), 'open');
});

t.test('a remote that the client cannot read, and no password in what says so', async (t) => {
  const { TieredCache } = await import('../../src/tier/index.js');
  const local = new SharedCache({ maxBytes: '4MB' });
  t.teardown(() => local.close());
  for (const remote of [
    { url: 'redis://:hidden-one@127.0.0.1:99999' },
    { url: 'redis://user:hidden-one@a host:6379' },
    { url: 'http://:hidden-one@127.0.0.1:6379' },
    { url: 'redis://:hidden-one@127.0.0.1:6379/first' },
    { cluster: {} },
    { sentinel: { name: 'a' } },
  ]) {
    const error = await TieredCache.open({ local, remote: remote as never, prefix: 'app:' }).catch((thrown) => thrown);
    t.match(error, { name: 'SharedCacheError', code: 'ERR_INVALID_OPTION' });
    t.notMatch(inspect(error, { depth: null, showHidden: true }), 'hidden-one');
  }
});
