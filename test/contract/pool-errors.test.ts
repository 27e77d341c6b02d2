/** What a task throws arrives as what it was, and nothing that it returns is taken for an error. */
import t from 'tap';
import { CachePool, SharedCacheError } from '../../src/index.js';
import { results } from '../fixtures/pool-throwers.js';
import { withCache } from '../fixtures/with-cache.js';

type Test = Parameters<typeof withCache>[0];

const filename = new URL('../fixtures/pool-throwers.js', import.meta.url);
const withThrowers = (t: Test): CachePool =>
  new CachePool({ filename, cache: withCache(t), minThreads: 1, maxThreads: 1 });

const thrownBy = (pool: CachePool, task: string): Promise<Error & Record<string, unknown>> =>
  pool.run(task).then(
    () => t.fail('must reject') as never,
    (error) => error,
  );

t.test('results are results, whatever they look like', async (t) => {
  const pool = withThrowers(t);
  for (const [index, expected] of results.entries()) {
    t.same(await pool.run(index, { name: 'result' }), expected, `result ${index}`);
  }
  await t.rejects(pool.run(0, { name: 'unsendable' }), 'a result that cannot be sent');
  await pool.close();
});

t.test('errors keep class, name, stack, cause and what their makers added', async (t) => {
  const pool = withThrowers(t);
  const http = await thrownBy(pool, 'http');
  t.match(http, { name: 'HttpError', message: 'unavailable', status: 503, retryAfter: { seconds: 7 } });
  t.match(http.stack, /pool-throwers/);
  t.notOk('handler' in http, 'what cannot be sent is left out');
  t.type(http.cause, RangeError);
  t.match(http.cause, { message: 'too many', cause: 'load' });
  t.strictSame(Object.keys(http).sort(), ['retryAfter', 'status'], 'name, cause and stack are not enumerable');
  t.match(await thrownBy(pool, 'system'), { code: 'ENOENT', errno: -2, path: '/nowhere' });
  const aggregate = (await thrownBy(pool, 'aggregate')) as unknown as AggregateError;
  t.type(aggregate, AggregateError);
  t.match(aggregate.errors, [{ name: 'TypeError' }, 2, { name: 'HttpError', status: 503 }]);
  const aborted = await thrownBy(pool, 'aborted');
  t.type(aborted, DOMException);
  t.match(aborted, { name: 'AbortError', message: 'gone', code: 20 });
  await pool.close();
});

t.test("the library's errors are of its class, causes included", async (t) => {
  const pool = withThrowers(t);
  const own = await thrownBy(pool, 'own');
  t.type(own, SharedCacheError);
  t.match(own, { code: 'ERR_CORRUPTED', message: 'broken' });
  t.type(own.cause, SharedCacheError);
  t.match(own.cause, { code: 'ERR_CLOSED', message: 'inner' });
  const copied = await thrownBy(pool, 'copied');
  t.type(copied, SharedCacheError);
  t.match(copied, { code: 'ERR_CLOSED', cause: { message: 'why' } });
  await t.rejects(pool.run(0, { name: 'recursive' }), { name: 'SharedCacheError', code: 'ERR_RECURSIVE_LOAD' });
  await pool.close();
});

t.test('circles, long chains, and what is no error', async (t) => {
  const pool = withThrowers(t);
  const { threads } = pool.piscina;
  const circle = await thrownBy(pool, 'circle');
  t.equal((circle.cause as Error).cause, circle);
  let chain = 0;
  for (let error: unknown = await thrownBy(pool, 'deep'); error instanceof Error; error = error.cause) chain++;
  t.equal(chain, 100, 'the first of them');
  t.equal(await thrownBy(pool, 'text'), 'text');
  t.equal(await thrownBy(pool, 'nothing'), undefined);
  t.strictSame(await thrownBy(pool, 'object'), { thrownByTask: { value: 'not this' }, list: [1, 2n] });
  t.match(await thrownBy(pool, 'a function'), { name: 'DataCloneError' });
  t.match(await thrownBy(pool, 'a symbol'), { name: 'DataCloneError' });
  t.match(await thrownBy(pool, 'proxy'), { message: /revoked|trap/ });
  t.match(await thrownBy(pool, 'an unsendable cause'), { message: 'outer', cause: undefined });
  t.strictSame(pool.piscina.threads, threads, 'no thread ended of it');
  await pool.close();
});
