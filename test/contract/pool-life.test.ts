/** How a pool's tasks, options and threads begin, go on and end. */
import t from 'tap';
import { CachePool, type CachePoolOptions } from '../../src/index.js';
import { NO_THREADS, plainNode } from '../fixtures/plain-node.js';
import { codec } from '../fixtures/pool-codec-tasks.js';
import { withCache } from '../fixtures/with-cache.js';

type Test = Parameters<typeof withCache>[0];

const fixture = (name: string): URL => new URL(`../fixtures/${name}.js`, import.meta.url);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function withPool(t: Test, options: Partial<CachePoolOptions<number>> = {}): CachePool<number> {
  const { cache = withCache<number>(t) } = options;
  return new CachePool<number>({ filename: fixture('pool-tasks'), maxThreads: 2, minThreads: 2, ...options, cache });
}

t.test('tasks that run or wait when the pool is closed end, later ones are refused', async (t) => {
  const pool = withPool(t);
  const words = [0, 1].map(() => new Int32Array(new SharedArrayBuffer(4)));
  const running = words.map((word) => pool.run(word, { name: 'block' }));
  while (pool.cache.peek('blocked') !== 2) await turn();
  const waiting = [1, 2, 3].map((n) => pool.run(n, { name: 'named' }));
  const closed = pool.close();
  t.equal(pool.close(), closed, 'closing twice is closing once');
  await t.rejects(pool.run(1), { name: 'SharedCacheError', code: 'ERR_CLOSED' });
  for (const [i, word] of words.entries()) {
    Atomics.store(word, 0, 1);
    Atomics.notify(word, 0);
    t.equal(await running[i], 1, 'ended, not terminated with the first one that was done');
  }
  t.strictSame(await Promise.all(waiting), [2, 4, 6]);
  await closed;
  t.equal(pool.piscina.threads.length, 0);
  await t.rejects(pool.run(1), { name: 'SharedCacheError', code: 'ERR_CLOSED' });
  await t.rejects(pool.run(1, { name: 'named' }), { code: 'ERR_CLOSED' });
});

t.test('a task that does not end is ended after closeTimeout', async (t) => {
  const pool = withPool(t, { closeTimeout: 20 });
  const errors: Error[] = [];
  pool.piscina.on('error', (error) => errors.push(error as Error));
  const running = pool.run(new Int32Array(new SharedArrayBuffer(4)), { name: 'block' });
  while (pool.cache.peek('blocked') === undefined) await turn();
  await Promise.all([t.rejects(running, { message: /Terminating/ }), pool.close()]);
  t.match(errors, [{ message: /Close operation timed out/ }], "as piscina's own close");
});

for (const atomics of [undefined, 'async', 'sync'] as const) {
  t.test(`what a task left running goes on between tasks: atomics ${atomics}`, async (t) => {
    const pool = withPool(t, { minThreads: 1, maxThreads: 1, atomics });
    const word = new Int32Array(new SharedArrayBuffer(4));
    await pool.run(word, { name: 'leaveBehind' });
    // Asleep until its next task, which never comes.
    if (atomics === 'sync') await new Promise((resolve) => setTimeout(resolve, 300));
    else while (Atomics.load(word, 0) === 0) await turn();
    t.equal(Atomics.load(word, 0), atomics === 'sync' ? 0 : 1);
    await pool.close();
  });
}

t.test('options that are undefined count as left out', async (t) => {
  const options = { minThreads: 1, maxThreads: undefined, idleTimeout: undefined, atomics: undefined, name: undefined };
  const pool = withPool(t, { ...options, closeTimeout: undefined });
  const task = { signal: undefined, transferList: undefined, name: undefined };
  t.match(await pool.run('task', task), { task: 'task' });
  await pool.close();
});

t.test('a cache with a codec: the task module exports it', async (t) => {
  const cache = withCache<object>(t, { codec });
  cache.put('in', { a: 1 });
  const pool = new CachePool({ filename: fixture('pool-codec-tasks'), cache, maxThreads: 1 });
  t.strictSame(await pool.run(0), { a: 1 });
  t.strictSame(cache.get('out'), { a: 1, moved: true });
  await pool.close();
  const without = new CachePool({ filename: fixture('pool-tasks'), cache, maxThreads: 1 });
  await t.rejects(without.run(0), { code: 'ERR_INVALID_OPTION', message: /export the same one as `codec`/ });
  await without.close();
});

t.test('a codec in CommonJS, and one that nobody needs', async (t) => {
  const dir = t.testdir({
    'function.cjs': `module.exports = (_, { cache }) => cache.get('in');
module.exports.codec = { encode: (value) => Buffer.from(JSON.stringify(value)), decode: (bytes) => JSON.parse(Buffer.from(bytes)) };`,
    'wrong.mjs': 'export default () => 1; export const codec = { encode: 1 };',
  });
  const json = {
    encode: (v: unknown) => Buffer.from(JSON.stringify(v)),
    decode: (b: Uint8Array) => JSON.parse(`${Buffer.from(b)}`),
  };
  const cache = withCache<object>(t, { codec: json });
  cache.put('in', { a: 1 });
  const pool = new CachePool({ filename: `${dir}/function.cjs`, cache, maxThreads: 1 });
  t.strictSame(await pool.run(0), { a: 1 });
  await pool.close();
  const wrong = new CachePool({ filename: `${dir}/wrong.mjs`, cache, maxThreads: 1 });
  await t.rejects(wrong.run(0), { code: 'ERR_INVALID_OPTION', message: /codec/ });
  await wrong.close();
  const plain = withCache<object>(t);
  const idle = new CachePool({ filename: fixture('pool-codec-tasks'), cache: plain, maxThreads: 1 });
  t.equal(await idle.run(0), undefined);
  await idle.close();
});

t.test('what tasks print is printed before the pool is closed', async (t) => {
  const dir = t.testdir({
    'print.mjs': 'export default (n) => { for (let i = 0; i < 50; i++) console.log(String(n).repeat(999)); };',
    'main.mjs': `import { CachePool, SharedCache } from ${JSON.stringify(import.meta.resolve('mooncake-cache'))};
const cache = new SharedCache({ maxBytes: '1MB' });
for (let n = 0; n < 4; n++) {
  const pool = new CachePool({ filename: new URL('print.mjs', import.meta.url), cache, minThreads: 1, maxThreads: 1 });
  await pool.run(n);
  await pool.close();
}
cache.close();`,
  });
  const { stdout } = await plainNode([`${dir}/main.mjs`]);
  t.equal(stdout.split('\n').length - 1, 200);
});

t.test('where threads are not permitted the pool says so', async (t) => {
  const program = `import { CachePool, SharedCache } from ${JSON.stringify(import.meta.resolve('mooncake-cache'))};
const cache = new SharedCache({ maxBytes: '1MB' });
try { new CachePool({ filename: 'task.mjs', cache, minThreads: 1 }); } catch (error) { console.log(error.name, error.code); }`;
  const main = `${t.testdir({ 'main.mjs': program })}/main.mjs`;
  const { stdout } = await plainNode([...NO_THREADS, main]);
  t.equal(stdout, 'SharedCacheError ERR_NO_WORKER\n');
});
