/** undici's cache interceptor against a server on the loopback. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { Agent, type cacheStores, type Dispatcher, interceptors } from 'undici';
import { undiciStore } from '../../src/adapters/undici.js';
import type { SharedCache } from '../../src/index.js';
import { until } from '../fixtures/fleet.js';
import { withCache } from '../fixtures/with-cache.js';

type Test = typeof t;
type Route = (request: IncomingMessage, response: ServerResponse) => void;

const LONG = 5 * 1024 * 1024;
const cacheable = { 'cache-control': 'max-age=60' };

/** A server that counts what reaches it, and a client with the store between. */
async function between(
  t: Pick<Test, 'teardown'>,
  cache: SharedCache,
  route: Route,
): Promise<{
  origin: string;
  seen: string[];
  ask: (path: string, options?: Partial<Dispatcher.RequestOptions>) => Promise<{ status: number; body: string }>;
}> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    route(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const store: InstanceType<typeof cacheStores.SqliteCacheStore> | ReturnType<typeof undiciStore> = undiciStore(cache);
  const agent = new Agent();
  const client = agent.compose(interceptors.cache({ store: store as never, methods: ['GET', 'HEAD'] }));
  t.teardown(async () => {
    await agent.close();
    server.closeAllConnections();
    server.close();
  });
  return {
    origin,
    seen,
    async ask(path, options = {}) {
      const { statusCode, body } = await client.request({ origin, path, method: 'GET', ...options } as never);
      return { status: statusCode, body: await text(body) };
    },
  };
}

t.test('max-age, methods, unsafe requests', async (t) => {
  const cache = withCache(t);
  let version = 1;
  const { ask, seen } = await between(t, cache, (_, response) => {
    response.writeHead(200, cacheable).end(`v${version}`);
  });
  for (let i = 0; i < 3; i++) t.strictSame(await ask('/a'), { status: 200, body: 'v1' });
  for (let i = 0; i < 2; i++) t.strictSame(await ask('/a', { method: 'HEAD' }), { status: 200, body: '' });
  t.strictSame(await ask('/a'), { status: 200, body: 'v1' }, 'a HEAD is no GET');
  await ask('/b');
  version = 2;
  await ask('/a', { method: 'POST', body: '' });
  t.strictSame(await ask('/a'), { status: 200, body: 'v2' });
  t.strictSame(await ask('/b'), { status: 200, body: 'v1' }, 'another URL stays');
  t.strictSame(seen, ['GET /a', 'HEAD /a', 'GET /b', 'POST /a', 'GET /a']);
});

t.test('vary', async (t) => {
  const cache = withCache(t);
  const { ask, seen } = await between(t, cache, ({ headers }, response) => {
    const vary = { ...cacheable, vary: 'Accept-Language, Accept' };
    response.writeHead(200, vary).end(`${headers['accept-language']} ${headers.accept}`);
  });
  const variants = [{ 'accept-language': 'de' }, { 'accept-language': 'fr' }, { accept: 'x'.repeat(4_000) }, {}];
  for (let i = 0; i < 2; i++)
    for (const headers of variants) {
      const wanted = `${headers['accept-language']} ${headers.accept}`;
      t.equal((await ask('/v', { headers } as never)).body, wanted);
    }
  t.equal(seen.length, variants.length);
  await ask('/v', { method: 'DELETE' });
  await ask('/v', { headers: { 'accept-language': 'de' } });
  t.equal(seen.length, variants.length + 2, 'an unsafe request ends all variants');
});

t.test('the end of max-age', async (t) => {
  const cache = withCache(t);
  let version = 0;
  const { ask, seen } = await between(t, cache, (_, response) => {
    response.writeHead(200, { 'cache-control': `max-age=${version === 0 ? 1 : 60}` }).end(`v${++version}`);
  });
  t.equal((await ask('/a')).body, 'v1');
  for (const key of cache.keys()) t.ok((cache.expiresIn(key) ?? Number.NaN) < 3_600_000, 'it has an end of its own');
  await until(async () => (await ask('/a')).body === 'v2', 'the end of the first');
  for (let i = 0; i < 3; i++) t.equal((await ask('/a')).body, 'v2');
  t.equal(seen.length, 2, 'before and after it nothing is asked');
});

t.test('every unsafe method ends what the URL had, if it succeeds', async (t) => {
  const cache = withCache(t);
  let version = 0;
  const { ask } = await between(t, cache, ({ method, headers }, response) => {
    if (method === 'GET') response.writeHead(200, cacheable).end(`v${++version}`);
    else response.writeHead(headers.fail ? 500 : 204).end();
  });
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    const { body } = await ask('/a');
    await ask('/a', { method, headers: { fail: 'yes' } });
    t.equal((await ask('/a')).body, body, `${method} that failed`);
    await ask('/a', { method });
    t.not((await ask('/a')).body, body, method);
  }
});

t.test('revalidation by 304', async (t) => {
  const cache = withCache(t);
  let tag = '"1"';
  const given: number[] = [];
  const { ask } = await between(t, cache, ({ headers }, response) => {
    const isSame = headers['if-none-match'] === tag;
    given.push(isSame ? 304 : 200);
    // A 304 with a Cache-Control of its own makes undici forget what it has, in its own stores too.
    if (isSame) response.writeHead(304, { etag: tag });
    else response.writeHead(200, { 'cache-control': 'no-cache, max-age=60', etag: tag });
    response.end(isSame ? undefined : `whole ${tag}`);
  });
  for (let i = 0; i < 3; i++) t.strictSame(await ask('/e'), { status: 200, body: 'whole "1"' });
  t.strictSame(given, [200, 304, 304], 'the body comes from the store');
  tag = '"2"';
  for (let i = 0; i < 2; i++) t.strictSame(await ask('/e'), { status: 200, body: 'whole "2"' });
  t.strictSame(given, [200, 304, 304, 200, 304]);
});

t.test('bodies of 5 MB: kept where there is room, passed on where there is none, read by many at once', async (t) => {
  const body = 'ab'.repeat(LONG / 2);
  for (const [maxBytes, requests] of [
    ['4MB', 2],
    ['512MB', 1],
  ] as const) {
    const cache = withCache(t, { maxBytes, shards: 4 });
    const { ask, seen } = await between(t, cache, (_, response) => void response.writeHead(200, cacheable).end(body));
    t.equal((await ask('/long')).body === body, true);
    t.equal((await ask('/long')).body === body, true);
    t.equal(seen.length, requests, maxBytes);
    const many = await Promise.all(Array.from({ length: 8 }, () => ask('/long')));
    t.ok(many.every((answer) => answer.body === body));
  }
});

t.test('long URLs, and bytes that are no text', async (t) => {
  const cache = withCache(t);
  const store = undiciStore(cache);
  const answer = {
    statusCode: 200,
    statusMessage: '',
    headers: {},
    cachedAt: 0,
    staleAt: 0,
    deleteAt: Date.now() + 9e4,
  };
  const request = { origin: 'http://a', method: 'GET', path: `/${'x'.repeat(100_000)}` };
  const stream = store.createWriteStream(request, answer);
  stream.write(Buffer.of(0, 255));
  stream.end(Buffer.of(128));
  await once(stream, 'finish');
  const found = store.get(request);
  t.strictSame(found && Buffer.concat([...(found.body as Iterable<Buffer>)]), Buffer.of(0, 255, 128));
  t.equal(store.get({ ...request, path: `${request.path}y` }), undefined);
  store.delete(request);
  t.equal(store.get(request), undefined);
});

t.test('another thread has the answer', async (t) => {
  const cache = withCache(t);
  const { ask, seen, origin } = await between(t, cache, (_, response) => {
    response.writeHead(200, cacheable).end('once');
  });
  await ask('/t');
  const script = `const { workerData: { handle, origin }, parentPort } = require('node:worker_threads');
    Promise.all(['mooncake-cache', 'mooncake-cache/adapters/undici', 'undici'].map((name) => import(name)))
      .then(async ([{ SharedCache }, { undiciStore }, { Agent, interceptors }]) => {
        const cache = SharedCache.attach(handle);
        const agent = new Agent();
        const client = agent.compose(interceptors.cache({ store: undiciStore(cache) }));
        const { body } = await client.request({ origin, path: '/t', method: 'GET' });
        parentPort.postMessage(await body.text());
        await agent.close();
        cache.close();
      });`;
  const worker = new Worker(script, { eval: true, workerData: { handle: cache.handle, origin }, execArgv: [] });
  const exit = once(worker, 'exit');
  t.equal((await once(worker, 'message'))[0], 'once');
  await exit;
  t.equal(seen.length, 1);
});
