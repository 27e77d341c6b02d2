import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { SharedCache } from '../../src/cache.js';
import { MAX_THREADS } from '../../src/memory/layout.js';
import { effort } from '../fixtures/effort.js';
import { engineFor } from '../fixtures/instrument.js';
import { SEED } from '../fixtures/kills.js';
import { wholeNumbers } from '../fixtures/random.js';
import { PUTS, type ShortLife } from '../fixtures/short-life.js';

/**
 * Threads that come, write and go, some of them killed while they write, leave nothing behind: after a clear the cache
 * holds as much as a new one, their places are used again, and what they counted stays. `THREADS=` sets how many come.
 */
const THREADS = effort('THREADS', 15, 520);
/** At one time. */
const LANES = 4;
/** One thread in so many is killed: with 520 threads or more, more than there are places. */
const KILLED = 2;
const OPTIONS = { maxBytes: '2MB', shards: 2, ttl: Number.POSITIVE_INFINITY, sweep: false } as const;

t.setTimeout(280_000 + THREADS * 400);
t.comment(`SEED=${SEED}`);

type Cache = SharedCache<string>;

/** One thread's life; one that dies does so `turns` of this thread's event loop after it has put what the others put. */
async function live(cache: Cache, seat: number, dies: boolean, turns: number): Promise<void> {
  const running = new Int32Array(new SharedArrayBuffer(4));
  const workerData: ShortLife = { handle: cache.handle, seat, stays: dies, running: running.buffer };
  const worker = new Worker(new URL('../fixtures/short-lived.js', import.meta.url), { workerData, execArgv: [] });
  const gone = once(worker, 'exit');
  if (dies) {
    const { async, value } = Atomics.waitAsync(running, 0, 0);
    if (async) await value;
    // Any moment of its writing will do, as long as moments differ.
    for (let left = turns; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
    await worker.terminate();
  }
  await gone;
}

async function liveAndDie(cache: Cache, threads: number): Promise<void> {
  const random = wholeNumbers(SEED);
  let seat = 0;
  const lane = async (): Promise<void> => {
    while (seat < threads) {
      const mine = seat++;
      await live(cache, mine, mine % KILLED === 0, random(40));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

interface Capacity {
  entries: number;
  bytes: number;
}

/** How many of equal entries stay in a cleared cache that is filled to more than its size, and the bytes they take. */
function capacityOf(cache: Cache): Capacity {
  cache.clear();
  for (let i = 0; i < 20_000; i++) cache.put(`equal ${String(i).padStart(8, '0')}`, 'x'.repeat(200));
  return { entries: cache.size, bytes: cache.getStats().memoryUsage };
}

/** To within one in a hundred: which keys meet in a bucket is random. */
const isNear = (a: Capacity, b: Capacity): boolean =>
  Math.abs(a.entries - b.entries) * 100 <= b.entries && Math.abs(a.bytes - b.bytes) * 100 <= b.bytes;

t.test(`${THREADS} threads leave nothing behind`, async (t) => {
  const cache = new SharedCache<string>(OPTIONS);
  const start = performance.now();
  await liveAndDie(cache, THREADS);
  const stats = cache.getStats();
  t.comment(`${THREADS} threads in ${(performance.now() - start).toFixed(0)} ms, ${stats.recoveries} recoveries`);
  t.same(cache.inspect().problems, []);
  t.equal(stats.threads, 1, 'only this thread is attached');
  t.comment(`${Math.ceil(THREADS / KILLED)} killed threads, ${MAX_THREADS} places`);
  t.ok(stats.puts >= THREADS * PUTS, 'puts of all threads are counted, of the dead ones too');
  t.equal(stats.lockTimeouts, 0);
  cache.clear();
  t.equal(cache.size, 0);
  t.equal(cache.getStats().puts, stats.puts, 'a clear keeps the counts');
  const fresh = new SharedCache<string>(OPTIONS);
  const after = capacityOf(cache);
  const before = capacityOf(fresh);
  t.comment(`${after.entries} entries, ${before.entries} in a new cache`);
  t.ok(isNear(after, before), 'as many entries as in a new cache');
  t.same(cache.inspect().problems, []);
  fresh.close();
  cache.close();
});

t.test('control: a clear that forgets which pages are free is found out', async (t) => {
  const from = 'm[SHARD.freshPages] = 0;';
  const { cache: engine } = engineFor(t, { file: 'memory/heap.js', from, to: '' });
  const { SharedCache: Leaking } = (await import(engine)) as { SharedCache: typeof SharedCache };
  const cache = new Leaking<string>(OPTIONS);
  await liveAndDie(cache, 2 * LANES);
  const fresh = new SharedCache<string>(OPTIONS);
  t.notOk(isNear(capacityOf(cache), capacityOf(fresh)));
  fresh.close();
  cache.close();
});
