/**
 * An HTTP server of several processes with one cache: a page is rendered once on the machine, a worker that is killed takes
 * nothing along, and the next start of the program finds the cache warm.
 *
 *   node dist/examples/cluster-server.js [folder]
 */
import assert from 'node:assert/strict';
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SharedCache } from 'mooncake-cache';

const WORKERS = 2;
const REQUESTS = 20;
const path = join(process.argv[2] ?? tmpdir(), 'cluster-server-example');

/** Starts a worker; the port that all of them share. */
async function start(): Promise<{ worker: Worker; port: number }> {
  const worker = cluster.fork();
  const [{ port }] = await once(worker, 'listening');
  return { worker, port };
}

async function stop(worker: Worker, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const exited = once(worker, 'exit');
  worker.process.kill(signal);
  await exited;
}

async function request(port: number): Promise<void> {
  const answers = Array.from({ length: REQUESTS }, async () => (await fetch(`http://127.0.0.1:${port}/home`)).text());
  for (const page of await Promise.all(answers)) assert.equal(page, '<h1>/home</h1>');
}

if (cluster.isPrimary) {
  SharedCache.remove(path);
  const [first, second] = await Promise.all(Array.from({ length: WORKERS }, start));
  await request(first.port);
  await stop(first.worker, 'SIGKILL');
  const third = await start();
  await request(third.port);
  await Promise.all([stop(second.worker, 'SIGTERM'), stop(third.worker, 'SIGTERM')]);

  // Nobody uses it any more.
  using cache = SharedCache.open<string | number>(path);
  assert.equal(cache.origin, 'warm');
  assert.equal(cache.get('renders'), 1);
  SharedCache.remove(path);
  console.log(
    `${2 * REQUESTS} requests to ${WORKERS} processes, one of them killed: rendered once, warm after a restart`,
  );
} else {
  const cache = SharedCache.open<string | number>(path, { maxBytes: '4MB' });
  const server = createServer(async ({ url = '/' }, response) => {
    const page = await cache.getOrSet(`page:${url}`, () => {
      cache.increment('renders');
      return `<h1>${url}</h1>`;
    });
    response.setHeader('connection', 'close');
    response.end(page);
  });
  server.listen(0, '127.0.0.1');
}
