/** With `BUG=private-copies`, all of this must fail: see threads-control.test.ts. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { SharedCache, type SharedCacheHandle } from '../../src/index.js';
import { CONTROL } from '../../src/memory/layout.js';
import { TEAM_SIZES } from '../fixtures/effort.js';
import { type Expiries, LEASE_MS, LONG_TTL_KEY, SWEPT_KEYS, type Win } from '../fixtures/jobs/ttl.js';
import { runTeam } from '../fixtures/team.js';
import { machineMs } from '../fixtures/time.js';
import { newCache, withCache } from '../fixtures/with-cache.js';

t.setTimeout(120_000);

/** The promise: how late an entry may be returned after its end, ms. */
const LATEST_MS = 20;

/** No event loop of the team turns while it looks, and the sweeper is on, off, or gone. */
const sweepers: Record<string, () => Promise<SharedCache<unknown>>> = {
  'with a sweeper': async () => newCache({ maxBytes: '4MB' }),
  'without a sweeper': async () => newCache({ maxBytes: '4MB', sweep: false }),
  'whose creator has closed': async () => {
    const { creator, cache } = await sweptCache();
    creator.close();
    return cache;
  },
};

/** A cache whose sweeper is known to have begun, because it has removed something. */
async function sweptCache(): Promise<{ creator: SharedCache<unknown>; cache: SharedCache<unknown> }> {
  const creator = newCache<unknown>({ maxBytes: '4MB', sweep: { intervalMs: 5 } });
  const cache = SharedCache.attach<unknown>(creator.handle);
  creator.put('soon', 1, { ttl: 1 });
  while (cache.size > 0) await new Promise((resolve) => setImmediate(resolve));
  return { creator, cache };
}

function check(test: Pick<typeof t, 'ok' | 'equal'>, seen: Expiries[]): void {
  const latest = Math.max(...seen.map(({ latestMs }) => latestMs));
  test.ok(latest <= LATEST_MS, `returned ${latest} ms after the end at the latest`);
  test.equal(
    seen.reduce((sum, { early }) => sum + early, 0),
    0,
    'never absent before the end',
  );
}

for (const size of TEAM_SIZES) {
  for (const [name, create] of Object.entries(sweepers)) {
    t.test(`${size} threads see the end of what one stored, in a cache ${name}`, async (t) => {
      const cache = await create();
      if (size === 4) cache.put(LONG_TTL_KEY, true);
      check(t, (await runTeam(cache, 'expire', size)) as Expiries[]);
      t.same(cache.inspect().problems, []);
      cache.close();
    });
  }

  t.test(`${size} threads go by a TTL that another changed`, async (t) => {
    check(t, (await runTeam(withCache(t), 'touch', size)) as Expiries[]);
  });

  t.test(`of ${size} threads one at a time holds a key that expires`, async (t) => {
    const wins = ((await runTeam(withCache(t), 'lease', size)) as Win[][]).flat();
    t.ok(wins.length > 1, `${wins.length} times`);
    // Of any two, one was over before the other was stored. A TTL counts from the call, so it may be short when stored.
    const isAfter = (a: Win, b: Win): boolean => a.after >= b.before + LEASE_MS;
    const together = wins.filter((a, i) => wins.some((b, j) => i < j && !isAfter(a, b) && !isAfter(b, a)));
    t.same(together, []);
  });

  t.test(`${size} threads that clean up at once count each expired entry once`, async (t) => {
    const cache = withCache(t, { sweep: false });
    const removed = (await runTeam(cache, 'cleanup', size)) as number[];
    const expired = (size * SWEPT_KEYS) / 2;
    t.equal(
      removed.reduce((a, b) => a + b, 0),
      expired,
    );
    t.match(cache.getStats(), { expirations: expired, totalObjects: expired, evictions: 0 });
  });
}

t.test('a thread that asks now and then, after the sweeper died with the thread that created the cache', async (t) => {
  const worker = new Worker(new URL('../fixtures/creator.js', import.meta.url), { execArgv: [] });
  const [handle] = (await once(worker, 'message')) as [SharedCacheHandle];
  const words = new Int32Array(handle.buffers.control);
  while (words[CONTROL.ticking] === 0) await new Promise((resolve) => setImmediate(resolve));
  await worker.terminate();
  const cache = SharedCache.attach(handle);
  t.equal(words[CONTROL.ticking], 1, 'nobody has said that the clock stands');
  const ttl = 1_100;
  cache.put('short', 1, { ttl });
  const end = machineMs() + ttl;
  let latest = 0;
  for (let asked = machineMs(); cache.get('short') !== undefined; asked = machineMs()) {
    latest = asked - end;
    Atomics.wait(words, CONTROL.words - 1, 0, 50);
  }
  t.ok(latest <= LATEST_MS, `returned ${latest} ms after the end at the latest`);
  cache.close();
});
