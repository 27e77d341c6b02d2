/**
 * One thread computes, all threads read: four workers want the same thousand results, and each is computed once.
 *
 *   node dist/examples/quick-start.js
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { SharedCache, type SharedCacheHandle } from 'mooncake-cache';

const THREADS = 4;
const RESULTS = 1_000;

/** Stands for work worth caching. */
function collatzSteps(start: number): number {
  let steps = 0;
  for (let n = start; n !== 1; n = n % 2 === 0 ? n / 2 : 3 * n + 1) steps++;
  return steps;
}

if (isMainThread) {
  using cache = new SharedCache<number>({ maxBytes: '8MB', ttl: 60_000 });
  const workers = Array.from(
    { length: THREADS },
    () => new Worker(new URL(import.meta.url), { workerData: cache.handle, execArgv: [] }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'exit')));

  assert.equal(cache.get('collatz:27'), 111);
  assert.equal(cache.size, RESULTS + 1);
  assert.equal(cache.get('computed'), RESULTS);
  console.log(`${THREADS} threads asked for ${RESULTS} results each; ${cache.get('computed')} were computed`);
} else {
  using cache = SharedCache.attach<number>(workerData as SharedCacheHandle);
  for (let n = 1; n <= RESULTS; n++) {
    const steps = cache.getOrSetSync(`collatz:${n}`, () => {
      cache.increment('computed');
      return collatzSteps(n);
    });
    assert.equal(steps, collatzSteps(n));
  }
}
