/**
 * A rate limit over all threads: `increment` counts, and the TTL of the counter, set when it is created, is the window.
 *
 *   node dist/examples/rate-limiter.js
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { SharedCache, type SharedCacheHandle } from 'mooncake-cache';

const THREADS = 4;
const REQUESTS_PER_THREAD = 500;
const LIMIT = 100;
const WINDOW_MS = 60_000;

function allow(cache: SharedCache<number>, client: string): boolean {
  return cache.increment(`requests:${client}`, 1, { ttl: WINDOW_MS }) <= LIMIT;
}

if (isMainThread) {
  using cache = new SharedCache<number>({ maxBytes: '1MB' });
  const workers = Array.from(
    { length: THREADS },
    () => new Worker(new URL(import.meta.url), { workerData: cache.handle, execArgv: [] }),
  );
  const allowed = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as number));
  const total = allowed.reduce((sum, count) => sum + count, 0);

  assert.equal(total, LIMIT);
  assert.equal(cache.get('requests:alice'), THREADS * REQUESTS_PER_THREAD);
  const left = cache.expiresIn('requests:alice') ?? 0;
  assert(left > 0 && left <= WINDOW_MS);
  console.log(`${THREADS * REQUESTS_PER_THREAD} requests on ${THREADS} threads, ${total} allowed in the window`);

  // A window that is over begins anew with the next request.
  cache.touch('requests:alice', 0);
  assert(allow(cache, 'alice'));
  assert.equal(cache.get('requests:alice'), 1);
} else {
  using cache = SharedCache.attach<number>(workerData as SharedCacheHandle);
  let count = 0;
  for (let i = 0; i < REQUESTS_PER_THREAD; i++) if (allow(cache, 'alice')) count++;
  parentPort?.postMessage(count);
}
