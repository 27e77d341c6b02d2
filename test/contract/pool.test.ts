import { Piscina } from 'piscina';
import t from 'tap';
import { CachePool, type CachePoolOptions } from '../../src/index.js';
import { withCache } from '../fixtures/with-cache.js';

type Test = Parameters<typeof withCache>[0];
interface Answer {
  sum: number;
  monitored: boolean;
  caches: number;
}

const filename = new URL('../fixtures/pool-tasks.js', import.meta.url);

function withPool(t: Test, options: Partial<CachePoolOptions<number>> = {}): CachePool<number> {
  const { cache = withCache<number>(t) } = options;
  return new CachePool<number>({ filename, maxThreads: 2, minThreads: 2, ...options, cache });
}

for (const threads of [2, 4, 8]) {
  t.test(`tasks of ${threads} threads see one cache, each thread attaches once`, async (t) => {
    const pool = withPool(t, { minThreads: threads, maxThreads: threads });
    const answers = await Promise.all(Array.from({ length: 200 }, () => pool.run<Answer>('task')));
    t.same(
      answers.map(({ sum }) => sum).sort((a, b) => a - b),
      Array.from({ length: 200 }, (_, i) => i + 1),
    );
    t.ok(
      answers.every(({ caches }) => caches === 1),
      'every task of a thread got the same cache',
    );
    t.ok(pool.cache.getStats().threads <= threads + 1);
    t.equal(pool.cache.get('sum'), 200);
    await pool.close();
    t.equal(pool.cache.get('sum'), 200, 'the cache outlives the pool');
  });
}

t.test('pool.cache, pool.monitor, pool.piscina', async (t) => {
  const pool = withPool(t);
  t.equal(pool.monitor, undefined);
  t.equal((await pool.run<Answer>('x')).monitored, false);
  t.ok(pool.piscina instanceof Piscina);
  await pool.close();
  const monitored = withPool(t, { cache: withCache<number>(t, { monitor: true }) });
  t.equal(monitored.monitor, monitored.cache.monitor);
  t.equal((await monitored.run<Answer>('x')).monitored, true);
  await monitored.close();
  monitored.monitor?.close();
});

t.test('errors and named exports', async (t) => {
  const pool = withPool(t, { name: 'named' });
  t.equal(await pool.run(21), 42, 'the name of the pool');
  t.match(await pool.run('x', { name: 'default' }), { task: 'x' }, 'the name of the run');
  await t.rejects(pool.run(0, { name: 'fail' }), { name: 'RangeError', message: 'from the task' });
  await t.rejects(pool.run(0, { name: 'missing' }), {
    code: 'ERR_INVALID_OPTION',
    message: /a function "missing", it exports .*named/,
  });
  await t.rejects(pool.run(0, { nmae: 'named' } as never), {
    code: 'ERR_INVALID_OPTION',
    message: /"nmae".*did you mean name\?/,
  });
  await t.rejects(pool.run(0, null as never), { code: 'ERR_INVALID_OPTION', message: /an object \{ signal, .*null/ });
  await t.rejects(pool.run(0, { name: 'misuse' }), { name: 'SharedCacheError', code: 'ERR_INVALID_KEY' });
  await pool.close();
  t.throws(() => new CachePool({ filename: 5 as never, cache: pool.cache }), { code: 'ERR_INVALID_OPTION' });
  t.throws(() => new CachePool({ filename, cache: {} as never }), { code: 'ERR_INVALID_OPTION' });
});

t.test('an aborted task ends, and the cache goes on', async (t) => {
  const pool = withPool(t, { minThreads: 1, maxThreads: 1 });
  const words = new Int32Array(new SharedArrayBuffer(4));
  const abort = new AbortController();
  const running = pool.run(words, { name: 'block', signal: abort.signal });
  while (pool.cache.peek('blocked') === undefined) await new Promise((resolve) => setImmediate(resolve));
  abort.abort();
  await t.rejects(running, { name: 'AbortError' });
  t.equal((await pool.run<Answer>('after')).sum, 1, 'a fresh thread has attached');
  t.equal(pool.cache.get('blocked'), 1);
  await pool.close();
});

t.test('the queue limit is piscina’s', async (t) => {
  const pool = withPool(t, { minThreads: 1, maxThreads: 1, maxQueue: 1 });
  const words = new Int32Array(new SharedArrayBuffer(4));
  const running = pool.run(words, { name: 'block' });
  while (pool.cache.peek('blocked') === undefined) await new Promise((resolve) => setImmediate(resolve));
  const queued = pool.run('queued');
  await t.rejects(pool.run('too many'), /queue/i);
  Atomics.store(words, 0, 1);
  Atomics.notify(words, 0);
  t.equal(await running, 1);
  t.match(await queued, { task: 'queued' });
  await pool.close();
});

t.test('transfer lists and Piscina.move', async (t) => {
  const pool = withPool(t, { name: 'bytes' });
  const listed = new Uint8Array([1, 2, 3]);
  t.same(await pool.run(listed, { transferList: [listed.buffer] as never }), new Uint8Array([1, 2, 3]));
  t.equal(listed.byteLength, 0, 'moved, not copied');
  const moved = new Uint8Array([4, 5]);
  t.same(await pool.run(Piscina.move(moved)), new Uint8Array([4, 5]));
  t.equal(moved.byteLength, 0, 'moved, not copied');
  await pool.close();
});

t.test('idle threads are recycled and leave the cache', async (t) => {
  const pool = withPool(t, { minThreads: 0, maxThreads: 2, idleTimeout: 1 });
  await pool.run('first');
  while (pool.piscina.threads.length > 0) await new Promise((resolve) => setImmediate(resolve));
  while (pool.cache.getStats().threads > 1) await new Promise((resolve) => setImmediate(resolve));
  t.equal((await pool.run<Answer>('second')).sum, 2);
  await pool.close();
});

t.test('two pools, two caches', async (t) => {
  const [first, second] = [withPool(t), withPool(t)];
  await Promise.all([first.run('a'), first.run('b'), second.run('c')]);
  t.equal(first.cache.get('sum'), 2);
  t.equal(second.cache.get('sum'), 1);
  await Promise.all([first.close(), second.close()]);
});

t.test('a handle travels with a plain piscina task', async (t) => {
  const cache = withCache<number>(t);
  const piscina = new Piscina({ filename: filename.href, name: 'plain', maxThreads: 4 });
  const sums = (await Promise.all(Array.from({ length: 40 }, () => piscina.run(cache.handle)))) as number[];
  t.same(
    sums.sort((a, b) => a - b),
    Array.from({ length: 40 }, (_, i) => i + 1),
  );
  await piscina.close();
});
