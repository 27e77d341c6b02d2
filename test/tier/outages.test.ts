/**
 * What a member does while its remote is stopped, gone, full, refusing, slow or silent, and what it makes good afterwards. The
 * table that this prints stands in docs/fleet.md.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { command, type Server } from '../../scripts/services/redis.js';
import { SharedCache } from '../../src/index.js';
import { TieredCache } from '../../src/tier/index.js';
import { ONLY_LONG } from '../fixtures/effort.js';
import { join, NO_SERVER, program, startFor, until, urlOf } from '../fixtures/fleet.js';
import { startProxy } from '../fixtures/proxy.js';

t.setTimeout(180_000);
const REMOTE_MS = 200;
/** What a call may take more than `remoteMs` on a busy machine, ms. */
const SLACK_MS = 800;
const timeouts = { remoteMs: REMOTE_MS };
const breaker = { resetMs: 100 };

interface Outcome {
  result: unknown;
  ms: number;
}

async function outcome(call: () => Promise<unknown>): Promise<Outcome> {
  const start = performance.now();
  const result = await call().catch((error: { code: string }) => error.code);
  return { result, ms: performance.now() - start };
}

/** Each of the calls on a key that is near and one that is not, one after the other. */
async function table(cache: TieredCache): Promise<Record<string, Outcome>> {
  return {
    'get near': await outcome(() => cache.get('near')),
    'get far': await outcome(() => cache.get('far')),
    getOrSet: await outcome(() => cache.getOrSet('load', () => 'loaded')),
    put: await outcome(() => cache.put('put', 'new')),
    delete: await outcome(() => cache.delete('del')),
    increment: await outcome(() => cache.increment('count')),
    invalidateTags: await outcome(() => cache.invalidateTags('tag')),
  };
}

const DOWN = {
  'get near': 'near',
  'get far': undefined,
  getOrSet: 'loaded',
  put: true,
  delete: false,
  increment: 'ERR_REMOTE_UNAVAILABLE',
  invalidateTags: undefined,
};

const kinds: Record<
  string,
  (server: Server, proxy: { isSilent: boolean; delayMs: number; isClosed: boolean; cut(): void }) => void
> = {
  stopped: (server) => server.signal('SIGSTOP'),
  killed: (server) => server.signal('SIGKILL'),
  'half-open': (_, proxy) => {
    proxy.isSilent = true;
  },
  'slow by 2 s': (_, proxy) => {
    proxy.delayMs = 2_000;
  },
  'refusing links': (_, proxy) => {
    proxy.isClosed = true;
    proxy.cut();
  },
};

/** They show what the others show too, and take longer. */
const ONLY_IN_LONG_RUN = new Set(['half-open', 'slow by 2 s', 'killed']);

for (const [kind, bring] of Object.entries(kinds)) {
  const skip = NO_SERVER || (ONLY_IN_LONG_RUN.has(kind) && ONLY_LONG.skip);
  t.test(`the remote is ${kind}`, { skip }, async (t) => {
    const server = await startFor(t);
    const proxy = await startProxy(server);
    t.teardown(() => proxy.stop());
    const cache = await join(t, { url: urlOf(proxy) }, { timeouts, breaker });
    const statuses: string[] = [];
    cache.onStatus((status) => statuses.push(status));
    await cache.put('far', 'far');
    await until(async () => (await cache.get('far')) === 'far');
    await cache.put('near', 'near');
    await until(async () => (await cache.get('near')) === 'near' && cache.local.get('near') === 'near');
    cache.local.delete('far');
    bring(server, proxy);
    const first = await table(cache);
    await until(() => cache.status === 'down', 'the outage is noticed', 6_000);
    const later = await table(cache);
    for (const [name, { result, ms }] of [...Object.entries(first), ...Object.entries(later)]) {
      t.strictSame(result, (DOWN as Record<string, unknown>)[name], name);
      t.ok(ms < 2 * REMOTE_MS + SLACK_MS, `${name}: ${ms.toFixed(0)} ms`);
    }
    for (const name of Object.keys(later))
      t.comment(
        `${kind} | ${name} | ${String(first[name].result)} | ${first[name].ms.toFixed(1)} ms, then ${later[name].ms.toFixed(1)} ms`,
      );
    t.equal(await cache.get('put'), 'new', 'its own writes are seen');
    t.equal(await cache.getOrSet('load', () => 'again'), 'loaded');
    // Ten thousand calls pile nothing up.
    const heapBefore = process.memoryUsage().heapUsed;
    const many = await Promise.all(
      Array.from({ length: 10_000 }, (_, i) => (i % 2 ? cache.get(`k${i}`) : cache.put(`k${i % 100}`, i))),
    );
    t.equal(many.length, 10_000);
    t.ok(process.memoryUsage().heapUsed - heapBefore < 100 * 2 ** 20, 'the heap is bounded');
    if (kind !== 'killed') {
      server.signal('SIGCONT');
      Object.assign(proxy, { isSilent: false, isClosed: false, delayMs: 0 });
      await until(() => cache.status === 'up', 'it recovers');
      t.ok(cache.getStats().remote.repairs > 0);
      t.equal(await cache.get('put'), undefined, 'what was written meanwhile is removed');
      // On a loaded machine the limit may be passed again.
      await until(async () => (await cache.put('put', 'anew')) && (await cache.get('put')) === 'anew');
      await until(() => statuses.includes('down') && statuses.at(-1) === 'up');
    }
  });
}

t.test('a get beside a put of its key that gets no answer has what is put', { skip: NO_SERVER }, async (t) => {
  const server = await startFor(t);
  const cache = await join(t, { url: urlOf(server) }, { timeouts });
  server.signal('SIGSTOP');
  const [isPut, got] = await Promise.all([cache.put('k', 1), cache.get('k')]);
  t.equal(isPut, true);
  t.equal(got, 1);
  server.signal('SIGCONT');
});

t.test('a full remote: reads go on, what cannot be written is removed there', { skip: NO_SERVER }, async (t) => {
  const server = await startFor(t, '--maxmemory', '3mb', '--maxmemory-policy', 'noeviction');
  const remote = { url: urlOf(server) };
  const cache = await join(t, remote, { timeouts, breaker });
  const other = await join(t, remote, { timeouts, breaker });
  await cache.put('k', 'old');
  t.equal(await other.get('k'), 'old');
  const redis = (...words: string[]): Promise<string> => command(program as never, server.port, ...words);
  await redis('config', 'set', 'maxmemory', '1');
  t.equal(await cache.put('k', 'new'), true);
  t.equal(await cache.get('k'), 'new');
  t.equal(await cache.getOrSet('l', () => 'loaded'), 'loaded');
  await until(async () => (await other.get('k')) === undefined, 'the overwritten value is gone elsewhere');
  await redis('config', 'set', 'maxmemory', '0');
  await until(() => cache.status === 'up');
  await until(async () => (await cache.put('k', 'newest')) && (await other.get('k')) === 'newest');
});

t.test('what was written, deleted and invalidated without the remote is made good', { skip: NO_SERVER }, async (t) => {
  const server = await startFor(t);
  const proxy = await startProxy(server);
  t.teardown(() => proxy.stop());
  const cut = await join(t, { url: urlOf(proxy) }, { timeouts, breaker });
  const other = await join(t, { url: urlOf(server) });
  for (const key of ['put', 'deleted', 'taken']) await cut.put(key, 'old');
  await cut.put('tagged', 'old', { tags: ['tag'] });
  const inside = cut.namespace('n');
  await inside.put('k', 'old');
  for (const key of ['put', 'deleted', 'taken', 'tagged']) t.equal(await other.get(key), 'old');
  t.equal(await other.namespace('n').get('k'), 'old');
  proxy.isClosed = true;
  proxy.cut();
  await until(() => cut.status === 'down');
  await cut.put('put', 'new');
  await cut.delete('deleted');
  await cut.take('taken');
  await cut.invalidateTags('tag');
  await inside.clear();
  t.equal(await other.get('put'), 'old', 'nobody can know yet');
  proxy.isClosed = false;
  await until(() => cut.status === 'up');
  await until(async () =>
    (await other.getMany(['put', 'deleted', 'taken', 'tagged'])).every((value) => value === undefined),
  );
  await until(async () => (await other.namespace('n').get('k')) === undefined);
});

t.test('more repairs than are remembered end everything', { skip: NO_SERVER }, async (t) => {
  const server = await startFor(t);
  const proxy = await startProxy(server);
  t.teardown(() => proxy.stop());
  const cut = await join(t, { url: urlOf(proxy) }, { timeouts, breaker });
  const other = await join(t, { url: urlOf(server) });
  await cut.put('k', 'old');
  t.equal(await other.get('k'), 'old');
  proxy.isClosed = true;
  proxy.cut();
  await until(() => cut.status === 'down');
  await cut.put('k', 'new');
  for (let i = 0; i < 10_100; i++) await cut.delete(`k${i}`);
  proxy.isClosed = false;
  await until(() => cut.status === 'up');
  await until(async () => (await other.get('k')) === undefined);
});

t.test('without a server, with a wrong name and with a wrong password', { skip: NO_SERVER }, async (t) => {
  const open = async (url: string): Promise<Outcome & { cache?: TieredCache }> => {
    const local = new SharedCache({ maxBytes: '4MB' });
    t.teardown(() => local.close());
    const start = performance.now();
    const cache = await TieredCache.open({ local, remote: { url }, prefix: 'app:', timeouts });
    return { result: cache.status, ms: performance.now() - start, cache };
  };
  for (const url of ['redis://127.0.0.1:1', 'redis://no-such-host.invalid:6379']) {
    const { result, ms, cache } = await open(url);
    t.equal(result, 'down');
    t.ok(ms < REMOTE_MS + 1_000 + SLACK_MS, `${ms} ms`);
    t.equal(await cache?.put('k', 1), true);
    t.equal(await cache?.get('k'), 1);
    await cache?.close();
  }
  const server = await startFor(t, '--requirepass', 'secret');
  const right = await open(`redis://:secret@127.0.0.1:${server.port}`);
  await until(() => right.cache?.status === 'up');
  await right.cache?.close();
  for (const url of [`redis://:wrong-one@127.0.0.1:${server.port}`, urlOf(server)]) {
    const error = await open(url).catch((thrown: Error & { code: string }) => thrown);
    t.equal((error as { code: string }).code, 'ERR_REMOTE_REFUSED');
    t.notMatch(`${(error as Error).stack}${JSON.stringify(error)}`, 'wrong-one');
  }
});

t.test('a user with no more rights than docs/fleet.md names', { skip: NO_SERVER }, async (t) => {
  const docs = readFileSync(new URL('../../../docs/fleet.md', import.meta.url), 'utf8');
  const words = (/^ACL SETUSER .*$/m.exec(docs)?.[0] ?? '').split(' ');
  const server = await startFor(t);
  t.match(await command(program as never, server.port, ...words), /^OK/);
  const cache = await join(t, { url: `redis://shop:password@127.0.0.1:${server.port}` }, { prefix: 'shop:' });
  await cache.put('k', 1, { tags: ['x'] });
  await cache.increment('n');
  cache.local.clear();
  t.strictSame(await cache.getMany(['k', 'n', 'm']), [1, 1, undefined]);
  t.equal(await cache.getOrSet('l', () => 5), 5);
  t.equal(await cache.touch('l', '1h'), true);
  t.equal(await cache.take('l'), 5);
  await cache.invalidateTags('x');
  t.equal(await cache.get('k'), undefined);
  await cache.clear();
  const { errors, timeouts } = cache.getStats().remote;
  t.equal(errors, 0);
  t.ok(timeouts < 5);
});
