/**
 * Many callers on four threads miss the same keys at the same moment: each is loaded once, and the others get the result.
 * A load that fails is an error for the callers of its own thread only: one of the waiting threads loads instead.
 *
 *   node dist/examples/single-flight.js
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { SharedCache, type SharedCacheHandle } from 'mooncake-cache';

const THREADS = 4;
const CALLERS = 10;
const PROFILES = 50;

interface Profile {
  id: number;
  name: string;
}

interface Seen {
  /** Loaders that this thread ran. */
  loads: number;
  /** Callers that got an error. */
  failures: number;
}

/** Stands for a query. */
async function query(id: number): Promise<Profile> {
  await delay(5);
  return { id, name: `user ${id}` };
}

async function work(cache: SharedCache<Profile | number>): Promise<Seen> {
  const seen: Seen = { loads: 0, failures: 0 };
  const profile = async (id: number): Promise<void> => {
    const found = await cache.getOrSet(`profile:${id}`, () => {
      seen.loads++;
      return query(id);
    });
    assert.deepEqual(found, { id, name: `user ${id}` });
  };
  const flaky = async (): Promise<void> => {
    const load = async (): Promise<number> => {
      const attempt = cache.increment('attempts');
      await delay(5);
      if (attempt === 1) throw new Error('the first attempt fails');
      return attempt;
    };
    try {
      assert.equal(await cache.getOrSet('flaky', load), 2);
    } catch {
      seen.failures++;
    }
  };
  const calls: Promise<void>[] = [];
  for (let caller = 0; caller < CALLERS; caller++) {
    for (let id = 0; id < PROFILES; id++) calls.push(profile(id));
    calls.push(flaky());
  }
  await Promise.all(calls);
  return seen;
}

if (isMainThread) {
  using cache = new SharedCache<Profile | number>({ maxBytes: '4MB', ttl: 60_000 });
  const workers = Array.from(
    { length: THREADS },
    () => new Worker(new URL(import.meta.url), { workerData: cache.handle, execArgv: [] }),
  );
  const seen = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as Seen));
  const loads = seen.reduce((sum, thread) => sum + thread.loads, 0);

  assert.equal(loads, PROFILES, 'one load for each profile, whichever thread was first');
  assert.equal(cache.get('attempts'), 2, 'a failed load is repeated once');
  assert.deepEqual(
    seen.map(({ failures }) => failures).sort((a, b) => b - a),
    [CALLERS, 0, 0, 0],
    'only the callers of the thread that failed get the error',
  );
  const stats = cache.getStats();
  assert.equal(stats.loads, PROFILES + 2);
  console.log(`${THREADS * CALLERS * PROFILES} calls for ${PROFILES} profiles: ${loads} loads, ${stats.waits} waits`);
} else {
  using cache = SharedCache.attach<Profile | number>(workerData as SharedCacheHandle);
  parentPort?.postMessage(await work(cache));
}
