import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import type { SharedCache } from '../../src/index.js';
import { runTeam } from '../fixtures/team.js';
import { newCache, withCache } from '../fixtures/with-cache.js';

const lifecycle = fileURLToPath(new URL('../fixtures/lifecycle.js', import.meta.url));

for (const program of ['open-cache', 'open-cache-in-worker', 'closed-cache', 'posted-handle']) {
  t.test(`the process ends by itself: ${program}`, async (t) => {
    const { stderr } = await promisify(execFile)(process.execPath, [lifecycle, program], { timeout: 30_000 });
    t.equal(stderr, '');
  });
}

t.test('the statistics of threads that have ended stay in the totals', async (t) => {
  const cache = withCache(t);
  for (let round = 1; round <= 3; round++) {
    await runTeam(cache, 'hits', 4);
    t.match(cache.getStats(), { hits: round * 400, misses: round * 40, puts: round * 4, threads: 1 });
  }
});

t.test('caches that come and go in a row are swept by one thread', async (t) => {
  let threads = 0;
  const count = (): void => {
    threads++;
  };
  process.on('worker', count);
  for (let i = 0; i < 50; i++) newCache({ maxBytes: '1MB' }).close();
  const cache = withCache<number>(t, { sweep: { intervalMs: 5 } });
  cache.put('soon over', 1, { ttl: 1 });
  while (cache.size > 0) await new Promise((resolve) => setImmediate(resolve));
  process.off('worker', count);
  t.ok(threads <= 1, `${threads} threads`);
});

t.test('every method refuses to work after close', (t) => {
  const cache = newCache<unknown>({ maxBytes: '1MB' });
  cache.close();
  const calls: Record<string, () => unknown> = {
    put: () => cache.put('a', 1),
    get: () => cache.get('a'),
    peek: () => cache.peek('a'),
    has: () => cache.has('a'),
    delete: () => cache.delete('a'),
    putIfAbsent: () => cache.putIfAbsent('a', 1),
    update: () => cache.update('a', () => 1),
    increment: () => cache.increment('a'),
    getMany: () => cache.getMany(['a']),
    putMany: () => cache.putMany([['a', 1]]),
    longestPrefix: () => cache.longestPrefix(['a']),
    expiresIn: () => cache.expiresIn('a'),
    touch: () => cache.touch('a', 1),
    cleanupExpired: () => cache.cleanupExpired(),
    clear: () => cache.clear(),
    size: () => cache.size,
    keys: () => [...cache.keys()],
    allKeys: () => [...cache.allKeys()],
    values: () => [...cache.values()],
    entries: () => [...cache.entries()],
    iterator: () => [...cache],
    getStats: () => cache.getStats(),
    inspect: () => cache.inspect(),
    getOrSetSync: () => cache.getOrSetSync('a', () => 1),
  };
  for (const [name, call] of Object.entries(calls))
    t.throws(call, { name: 'SharedCacheError', code: 'ERR_CLOSED' }, name);
  t.end();
});

t.test('a cache leaves with its block', (t) => {
  let outside: SharedCache | undefined;
  {
    using cache = newCache({ maxBytes: '1MB' });
    outside = cache;
    cache.put('a', 1);
  }
  t.throws(() => outside?.get('a'), { code: 'ERR_CLOSED' });
  t.end();
});

t.test('iteration is weakly consistent: what stays is seen exactly once, whatever comes and goes', (t) => {
  const cache = withCache<number>(t);
  for (let i = 0; i < 2_000; i++) cache.put(`stays ${i}`, i);
  const seen = new Map<string, number>();
  let n = 0;
  for (const [key, value] of cache) {
    seen.set(key, (seen.get(key) ?? 0) + 1);
    if (key.startsWith('stays')) t.equal(key, `stays ${value}`);
    if (n++ < 3_000) cache.put(`comes ${n}`, n);
    if (n % 3 === 0) cache.delete(`comes ${n - 2}`);
    if (n > 10_000) break;
  }
  for (let i = 0; i < 2_000; i++) t.equal(seen.get(`stays ${i}`), 1);
  t.end();
});

t.test('a cache nobody sweeps gives the same answers', (t) => {
  const cache = withCache<number>(t, { sweep: false });
  cache.put('a', 1, { ttl: 5 });
  while (cache.has('a'));
  t.equal(cache.get('a'), undefined);
  t.equal(cache.peek('a'), undefined);
  t.equal(cache.expiresIn('a'), undefined);
  t.equal(cache.touch('a', 100), false);
  t.equal(cache.delete('a'), false, 'only a live entry counts as removed');
  cache.put('a', 1, { ttl: 1 });
  while (cache.has('a'));
  t.same([...cache], []);
  t.equal(cache.putIfAbsent('a', 2), true, 'an expired entry is absent');
  cache.put('n', 5, { ttl: 1 });
  while (cache.has('n'));
  t.equal(cache.increment('n'), 1);
  t.equal(cache.longestPrefix(['a', 'n', 'x']), 2);
  t.end();
});

t.test('increment sets a TTL when it creates and keeps it after', (t) => {
  const cache = withCache<number>(t);
  cache.increment('n', 1, { ttl: 5_000 });
  cache.increment('n', 1, { ttl: 1_000_000 });
  t.ok((cache.expiresIn('n') as number) <= 5_000);
  t.equal(cache.increment('zero', 3, { ttl: 0 }), 3);
  t.equal(cache.has('zero'), false);
  cache.put('kept', 0);
  t.equal(cache.increment('kept', 3, { ttl: 0 }), 3);
  t.equal(cache.get('kept'), 3, 'one that was there keeps its TTL');
  t.end();
});
