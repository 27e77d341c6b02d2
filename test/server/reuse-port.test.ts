/** Several threads that listen at one port, where Node can. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Redis } from 'ioredis';
import t from 'tap';
import { createServer, type ServerOptions } from '../../src/server/index.js';
import { withCache } from '../fixtures/with-cache.js';

const CLIENTS = 64;
const sharer = new URL('../fixtures/port-sharer.js', import.meta.url);

const isKnown = !process.version.startsWith('v20.');

t.test('two threads at one port serve one cache', async (t) => {
  const cache = withCache<unknown>(t);
  const options: ServerOptions = { cache, resp: '127.0.0.1:0', reusePort: true };
  if (!isKnown) {
    await t.rejects(createServer(options), { code: 'ERR_UNSUPPORTED_PLATFORM', message: /Node 22\.12/ });
    return;
  }
  const server = await createServer(options);
  t.teardown(() => server.close());
  const { resp = '' } = server.addresses;
  const thread = new Worker(sharer, { workerData: { handle: cache.handle, resp }, execArgv: [] });
  const exited = once(thread, 'exit');
  await once(thread, 'message');
  const clients = Array.from({ length: CLIENTS }, () => new Redis(Number(resp.split(':')[1]), '127.0.0.1'));
  const ids = await Promise.all(clients.map((client) => client.client('ID')));
  // Each server counts its own. That the system gives all clients to one of two happens once in 2 ** 63 runs.
  t.ok(new Set(ids).size < CLIENTS, 'both have clients');
  await Promise.all(clients.map((client) => client.incr('hits')));
  t.equal(cache.get('hits'), CLIENTS);
  for (const client of clients) client.disconnect();
  thread.postMessage('end');
  t.strictSame(await exited, [0]);
  await t.rejects(createServer({ cache, resp }), { code: 'ERR_LISTEN_FAILED' }, 'nobody else may');
});

t.test('what cannot be shared', async (t) => {
  const cache = withCache<unknown>(t);
  await t.rejects(createServer({ cache, resp: 0, reusePort: 1 as never }), { code: 'ERR_INVALID_OPTION' });
  const code = isKnown ? 'ERR_INVALID_OPTION' : 'ERR_UNSUPPORTED_PLATFORM';
  await t.rejects(createServer({ cache, resp: './app.sock', reusePort: true }), { code });
});
