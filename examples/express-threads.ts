/**
 * An express application on two threads: a visitor who logged in at one is known to the other, and both together let no more
 * requests through than the limit.
 *
 *   node dist/examples/express-threads.js
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import session from 'express-session';
import { SharedCache, type SharedCacheHandle } from 'mooncake-cache';
import { rateLimitStore } from 'mooncake-cache/adapters/express-rate-limit';
import { sessionStore } from 'mooncake-cache/adapters/express-session';

const THREADS = 2;
const LIMIT = 5;

function serve(handle: SharedCacheHandle): void {
  const cache = SharedCache.attach(handle);
  const app = express();
  app.use(session({ store: sessionStore(cache), secret: 'keep me', resave: false, saveUninitialized: false }));
  app.get('/login/:name', (request, response) => {
    Object.assign(request.session, { name: request.params.name });
    response.send('welcome');
  });
  app.get(
    '/search',
    rateLimit({ windowMs: 60_000, limit: LIMIT, store: rateLimitStore(cache) }),
    (request, response) => {
      response.send(`found for ${(request.session as { name?: string }).name}`);
    },
  );
  const server = app.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));
  parentPort?.once('message', () => {
    server.close();
    server.closeAllConnections();
    cache.close();
  });
}

if (isMainThread) {
  using cache = new SharedCache({ maxBytes: '8MB' });
  const workers = Array.from(
    { length: THREADS },
    () => new Worker(new URL(import.meta.url), { workerData: cache.handle, execArgv: [] }),
  );
  const ports = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as number));

  const login = await fetch(`http://127.0.0.1:${ports[0]}/login/Ann`);
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
  const answers = await Promise.all(
    Array.from({ length: 2 * LIMIT }, async (_, i) => {
      const answer = await fetch(`http://127.0.0.1:${ports[i % THREADS]}/search`, { headers: { cookie } });
      return { status: answer.status, text: await answer.text() };
    }),
  );
  const found = answers.filter(({ status }) => status === 200);
  assert.equal(found.length, LIMIT, 'of all threads together');
  assert.ok(found.every(({ text }) => text === 'found for Ann'));
  assert.equal(answers.filter(({ status }) => status === 429).length, LIMIT);

  const exits = workers.map((worker) => once(worker, 'exit'));
  for (const worker of workers) worker.postMessage('stop');
  await Promise.all(exits);
  console.log(`${answers.length} requests to ${THREADS} threads: ${found.length} let through, all of them Ann's`);
} else {
  serve(workerData as SharedCacheHandle);
}
