/**
 * Three threads fetch from one server through undici's cache interceptor: what one has fetched, the others have. A change
 * that goes through one of them ends it for all.
 *
 *   node dist/examples/undici-threads.js
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { SharedCache, type SharedCacheHandle } from 'mooncake-cache';
import { undiciStore } from 'mooncake-cache/adapters/undici';
import { Agent, fetch, interceptors } from 'undici';

const THREADS = 3;

interface Seat {
  handle: SharedCacheHandle;
  url: string;
}

/** Fetches with each method it is told, until it is told none. */
function work({ handle, url }: Seat): void {
  const cache = SharedCache.attach(handle);
  const agent = new Agent();
  const dispatcher = agent.compose(interceptors.cache({ store: undiciStore(cache) }));
  parentPort?.on('message', async (method: string | null) => {
    if (method !== null) {
      const answer = await fetch(url, { method, dispatcher });
      return parentPort?.postMessage(await answer.text());
    }
    await agent.close();
    cache.close();
    parentPort?.close();
  });
}

if (isMainThread) {
  using cache = new SharedCache({ maxBytes: '8MB' });
  let changes = 0;
  let requests = 0;
  const server = createServer(({ method }, response) => {
    requests += 1;
    if (method === 'PUT') changes += 1;
    response.setHeader('cache-control', 'max-age=60').end(`edition ${changes}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const seat: Seat = { handle: cache.handle, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
  const workers = Array.from(
    { length: THREADS },
    () => new Worker(new URL(import.meta.url), { workerData: seat, execArgv: [] }),
  );
  const ask = async (worker: Worker, method = 'GET'): Promise<string> => {
    worker.postMessage(method);
    return (await once(worker, 'message'))[0] as string;
  };

  for (const worker of workers) assert.equal(await ask(worker), 'edition 0');
  assert.equal(requests, 1, 'the others had it from the cache');
  assert.equal(await ask(workers[2], 'PUT'), 'edition 1');
  for (const worker of workers) assert.equal(await ask(worker), 'edition 1');
  assert.equal(requests, 3);

  const exits = workers.map((worker) => once(worker, 'exit'));
  for (const worker of workers) worker.postMessage(null);
  await Promise.all(exits);
  server.close();
  console.log(`${2 * THREADS} fetches on ${THREADS} threads and a change: ${requests} requests`);
} else {
  work(workerData as Seat);
}
