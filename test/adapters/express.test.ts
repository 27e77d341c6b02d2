/** express with express-rate-limit and express-session: one cache behind several servers. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import express from 'express';
import { rateLimit, type Store } from 'express-rate-limit';
import session, { type SessionData } from 'express-session';
import t from 'tap';
import { rateLimitStore } from '../../src/adapters/express-rate-limit.js';
import { sessionStore } from '../../src/adapters/express-session.js';
import { until } from '../fixtures/fleet.js';
import { withCache } from '../fixtures/with-cache.js';

type Test = Pick<typeof t, 'teardown'>;

async function listen(t: Test, app: express.Express): Promise<string> {
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

t.test('four threads let exactly the limit through', async (t) => {
  const cache = withCache(t);
  const script = `const { workerData, parentPort } = require('node:worker_threads');
    const names = ['mooncake-cache', 'mooncake-cache/adapters/express-rate-limit', 'express', 'express-rate-limit'];
    Promise.all(names.map((name) => import(name)))
      .then(([{ SharedCache }, { rateLimitStore }, { default: express }, { rateLimit }]) => {
        const app = express();
        const store = rateLimitStore(SharedCache.attach(workerData));
        app.use(rateLimit({ windowMs: 60_000, limit: 100, store, keyGenerator: () => 'one', validate: false }));
        app.get('/', (request, response) => response.send('ok'));
        const server = app.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
      });`;
  const workers = Array.from(
    { length: 4 },
    () => new Worker(script, { eval: true, workerData: cache.handle, execArgv: [] }),
  );
  t.teardown(() => Promise.all(workers.map((worker) => worker.terminate())));
  const ports = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as number));
  const statuses = await Promise.all(
    Array.from({ length: 400 }, async (_, i) => (await fetch(`http://127.0.0.1:${ports[i % 4]}/`)).status),
  );
  t.equal(statuses.filter((status) => status === 200).length, 100);
  t.equal(statuses.filter((status) => status === 429).length, 300);
});

t.test('two processes let exactly the limit through', async (t) => {
  const path = join(t.testdir({}), 'limits');
  const script = `import { SharedCache } from 'mooncake-cache';
    import { rateLimitStore } from 'mooncake-cache/adapters/express-rate-limit';
    import express from 'express';
    import { rateLimit } from 'express-rate-limit';
    const app = express();
    const store = rateLimitStore(SharedCache.open(process.argv[1], { maxBytes: '4MB' }));
    app.use(rateLimit({ windowMs: 60_000, limit: 100, store, keyGenerator: () => 'one', validate: false }));
    app.get('/', (request, response) => response.send('ok'));
    const server = app.listen(0, '127.0.0.1', () => process.send(server.address().port));`;
  const children = [0, 1].map(() =>
    spawn(process.execPath, ['--input-type=module', '-e', script, path], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }),
  );
  t.teardown(async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map((child) => once(child, 'exit')));
  });
  const ports = await Promise.all(children.map(async (child) => (await once(child, 'message'))[0] as number));
  const statuses = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => (await fetch(`http://127.0.0.1:${ports[i % 2]}/`)).status),
  );
  t.equal(statuses.filter((status) => status === 200).length, 100);
});

t.test('the window, decrement and reset', async (t) => {
  let now = 0;
  let stepMs = 0;
  const cache = withCache(t, {
    now: () => {
      now += stepMs;
      return now;
    },
  });
  const store: Store = rateLimitStore(cache);
  store.init?.({ windowMs: 1_000 } as never);
  t.match(await store.increment('a'), { totalHits: 1 });
  const { resetTime } = await store.increment('a');
  t.ok(Math.abs((resetTime?.getTime() ?? 0) - Date.now() - 1_000) < 500);
  await store.decrement('a');
  t.match(await store.get?.('a'), { totalHits: 1 });
  for (let i = 0; i < 3; i++) await store.decrement('a');
  t.match(await store.get?.('a'), { totalHits: 0 }, 'never below 0');
  now = 999;
  await store.increment('a');
  now = 1_001;
  t.equal(await store.get?.('a'), undefined, 'a window ends where it began to count');
  await store.decrement('a');
  t.equal(await store.get?.('a'), undefined, 'a decrement begins no window');
  await store.increment('a');
  stepMs = 600;
  await store.decrement('a');
  stepMs = 0;
  t.equal(await store.get?.('a'), undefined, 'nor one that sees the window end');
  const other = rateLimitStore(cache, { prefix: 'other' });
  await other.increment('a');
  await store.increment('a');
  cache.put('mine', 1);
  await store.resetKey('a');
  t.equal(await store.get?.('a'), undefined);
  await store.increment('b');
  await store.resetAll?.();
  t.equal(await store.get?.('b'), undefined);
  t.match(await other.get?.('a'), { totalHits: 1 });
  t.equal(cache.get('mine'), 1);
});

t.test('skipFailedRequests', async (t) => {
  const cache = withCache(t);
  const app = express();
  const store = rateLimitStore(cache);
  app.use(rateLimit({ windowMs: 60_000, limit: 2, store, skipFailedRequests: true, keyGenerator: () => 'one' }));
  app.get('/ok', (_, response) => void response.send('ok'));
  app.get('/bad', (_, response) => void response.status(400).send('bad'));
  const origin = await listen(t, app);
  for (let i = 0; i < 5; i++) t.equal((await fetch(`${origin}/bad`)).status, 400);
  const statuses: number[] = [];
  for (let i = 0; i < 3; i++) statuses.push((await fetch(`${origin}/ok`)).status);
  t.strictSame(statuses, [200, 200, 429]);
});

t.test('the window that a client is told of, and its end', async (t) => {
  const windowMs = 60_000;
  let now = 0;
  const cache = withCache(t, { now: () => now });
  const app = express();
  const store = rateLimitStore(cache);
  app.use(rateLimit({ windowMs, limit: 1, store, legacyHeaders: true, keyGenerator: () => 'one' }));
  app.get('/', (_, response) => void response.send('ok'));
  const origin = await listen(t, app);
  const ask = async (): Promise<{ status: number; resets: number }> => {
    const { status, headers } = await fetch(origin);
    return { status, resets: Number(headers.get('x-ratelimit-reset')) - Date.now() / 1_000 };
  };
  const first = await ask();
  t.equal(first.status, 200);
  t.ok(first.resets > 50 && first.resets <= 61, `the window ends in ${first.resets} s`);
  now = 40_000;
  const second = await ask();
  t.equal(second.status, 429);
  t.ok(second.resets > 10 && second.resets <= 21, 'and is not begun anew by a request in it');
  now = 60_001;
  t.equal((await ask()).status, 200);
});

t.test('sessions over two servers', async (t) => {
  const cache = withCache(t);
  const serve = (): Promise<string> => {
    const app = express();
    const store = sessionStore(cache);
    app.use(session({ store, secret: 's', resave: false, saveUninitialized: false, cookie: { maxAge: 60_000 } }));
    app.get('/count', (request, response) => {
      const data = request.session as { count?: number };
      data.count = (data.count ?? 0) + 1;
      response.json(data.count);
    });
    app.get('/large', (request, response) => {
      Object.assign(request.session, { large: 'x'.repeat(8_000_000) });
      response.send('stored');
    });
    app.get('/out', (request, response) => request.session.destroy(() => response.send('out')));
    return listen(t, app);
  };
  const [one, two] = [await serve(), await serve()];
  const first = await fetch(`${one}/count`);
  const cookie = first.headers.get('set-cookie')?.split(';')[0] ?? '';
  const ask = async (url: string): Promise<string> => (await fetch(url, { headers: { cookie } })).text();
  t.equal(await ask(`${two}/count`), '2');
  t.equal(await ask(`${one}/count`), '3');
  t.equal(await ask(`${one}/out`), 'out');
  t.equal(await ask(`${two}/count`), '1');
  t.equal(await ask(`${two}/large`), 'stored');
  t.equal(await ask(`${two}/count`), '1', 'a session that is too large is none, and no error');
});

t.test('a session lives on with each request, rolling or not, and ends with its cookie', async (t) => {
  const cache = withCache(t);
  const sessions = cache.namespace<string>('session');
  for (const rolling of [true, false]) {
    const app = express();
    const cookie = { maxAge: 60_000 };
    app.use(
      session({ store: sessionStore(cache), secret: 's', resave: false, saveUninitialized: false, rolling, cookie }),
    );
    app.get('/in', (request, response) => {
      Object.assign(request.session, { name: 'Ann' });
      response.send(request.session.id);
    });
    app.get('/', (request, response) => void response.json((request.session as { name?: string }).name ?? null));
    const origin = await listen(t, app);
    const first = await fetch(`${origin}/in`);
    const sid = await first.text();
    const headers = { cookie: first.headers.get('set-cookie')?.split(';')[0] ?? '' };
    sessions.touch(sid, 10_000);
    const before = JSON.parse(sessions.get(sid) ?? '').cookie.expires;
    const second = await fetch(`${origin}/`, { headers });
    t.equal(await second.text(), '"Ann"');
    t.ok((sessions.expiresIn(sid) ?? 0) > 50_000, 'a request that changed nothing touches it');
    t.ok(JSON.parse(sessions.get(sid) ?? '').cookie.expires > before, 'its cookie too');
    t.equal(second.headers.has('set-cookie'), rolling, 'rolling, the browser hears of it');
    sessions.touch(sid, 1);
    await until(() => !sessions.has(sid), 'the end of the session');
    t.equal(await (await fetch(`${origin}/`, { headers })).text(), 'null');
    t.equal(sessions.size, 0, 'nothing was stored for a visitor without a session');
  }
});

t.test('the ends of sessions', async (t) => {
  const cache = withCache(t);
  const sessions = cache.namespace<string>('session');
  const store = sessionStore(cache, { ttl: '5m' });
  const set = (sid: string, cookie: object, more: object = {}): Promise<void> =>
    new Promise((resolve, reject) =>
      store.set(sid, { cookie, ...more } as SessionData, (error) => (error ? reject(error) : resolve())),
    );
  const get = (sid: string): Promise<unknown> =>
    new Promise((resolve, reject) => store.get(sid, (error, data) => (error ? reject(error) : resolve(data))));

  await set('none', {});
  await set('invalid', { expires: new Date(Number.NaN) });
  await set('odd', { expires: 'nonsense' });
  for (const sid of ['none', 'invalid', 'odd']) {
    const left = sessions.expiresIn(sid) ?? 0;
    t.ok(left > 299_000 && left <= 300_000, sid);
  }
  await set('over', { expires: new Date(0) });
  t.equal(await get('over'), null);

  const end = new Date(Date.now() + 60_000);
  await set('rolling', { expires: end }, { name: 'Ann', at: new Date(0) });
  t.strictSame(await get('rolling'), {
    cookie: { expires: end.toISOString() },
    name: 'Ann',
    at: new Date(0).toISOString(),
  });
  const later = new Date(Date.now() + 120_000);
  await new Promise<void>((done) => store.touch?.('rolling', { cookie: { expires: later } } as never, done));
  t.ok((sessions.expiresIn('rolling') ?? 0) > 119_000);
  t.match(await get('rolling'), { name: 'Ann', cookie: { expires: later.toISOString() } });
  await new Promise<void>((done) => store.touch?.('absent', { cookie: { expires: later } } as never, done));
  t.equal(await get('absent'), null, 'a touch makes no session');

  cache.put('mine', 1);
  const all = await new Promise((resolve) => store.all?.((_, found) => resolve(found)));
  t.strictSame(Object.keys(all as object).sort(), ['invalid', 'none', 'odd', 'rolling']);
  t.equal(await new Promise((resolve) => store.length?.((_, length) => resolve(length))), 4);
  await new Promise<void>((done) => store.clear?.(done as () => void));
  t.equal(await get('rolling'), null);
  t.equal(cache.get('mine'), 1);
  const circle: { cookie: object; self?: unknown } = { cookie: {} };
  circle.self = circle;
  await t.rejects(set('circle', {}, circle), 'what is no JSON is told to the caller');
});
