/**
 * A cluster with `mooncake-cache serve` beside it: whoever runs the site looks into the cache that its processes share, and
 * changes what they show, while they run. Anything that speaks HTTP does as well as this program, which plays all three parts.
 *
 *   node dist/examples/cluster-with-serve.js [folder]
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { SharedCache } from 'mooncake-cache';

const WORKERS = 2;
const REQUESTS = 20;
const path = join(process.argv[2] ?? tmpdir(), 'cluster-with-serve-example');

/** Starts a worker of the site; the port that all of them share. */
async function startWorker(): Promise<{ worker: Worker; port: number }> {
  const worker = cluster.fork();
  const [{ port }] = await once(worker, 'listening');
  return { worker, port };
}

/** npx mooncake-cache serve PATH --http 127.0.0.1:0 --json */
async function startServe(): Promise<{ child: ChildProcess; url: string }> {
  const main = new URL('dist/lib/cli.js', import.meta.resolve('mooncake-cache/package.json'));
  const args = [fileURLToPath(main), 'serve', path, '--http', '127.0.0.1:0', '--json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  // Also after an assertion that failed.
  process.once('exit', () => child.kill());
  const [line] = await once(createInterface(child.stdout), 'line');
  return { child, url: `http://${JSON.parse(line).http}` };
}

/** What the site shows to each of so many requests. */
async function pages(port: number): Promise<string[]> {
  return Promise.all(Array.from({ length: REQUESTS }, async () => (await fetch(`http://127.0.0.1:${port}/`)).text()));
}

if (cluster.isPrimary) {
  SharedCache.remove(path);
  const site = await Promise.all(Array.from({ length: WORKERS }, startWorker));
  const [{ port }] = site;
  const { child, url } = await startServe();
  assert.deepEqual(new Set(await pages(port)), new Set(['welcome']));

  // From outside: what the processes counted together, and a text that all of them show from now on.
  assert.equal(await (await fetch(`${url}/v1/keys/requests`)).json(), REQUESTS);
  const { status } = await fetch(`${url}/v1/keys/banner?ttl=1h`, { method: 'PUT', body: 'back at noon' });
  assert.equal(status, 201);
  assert.deepEqual(new Set(await pages(port)), new Set(['back at noon']));
  const { hits } = (await (await fetch(`${url}/stats`)).json()) as { hits: number };
  assert(hits >= REQUESTS);

  const running = [child, ...site.map(({ worker }) => worker.process)];
  await Promise.all(
    running.map(async (each) => {
      const exited = once(each, 'exit');
      each.kill('SIGTERM');
      await exited;
    }),
  );
  SharedCache.remove(path);
  console.log(`${2 * REQUESTS} requests to ${WORKERS} processes, whose text was changed from outside: ${hits} hits`);
} else {
  const cache = SharedCache.open<Buffer | number>(path, { maxBytes: '4MB' });
  const server = createServer((_request, response) => {
    cache.increment('requests');
    response.setHeader('connection', 'close');
    // What came over HTTP is octets.
    response.end(cache.get('banner') ?? 'welcome');
  });
  server.listen(0, '127.0.0.1');
}
