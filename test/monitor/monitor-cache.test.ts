import { SharedCache } from 'mooncake-cache';
import t from 'tap';

t.test('sample 1 records every operation of a cache', async (t) => {
  const cache = new SharedCache<number>({ maxBytes: '1MB', maxEntries: 100, sweep: false, monitor: { sample: 1 } });
  for (let i = 0; i < 1_000; i++) {
    if (cache.get(`${i % 150}`) === undefined) cache.put(`${i % 150}`, i);
    if (i % 10 === 0) cache.delete(`${i % 50}`);
  }
  await cache.getOrSet('loaded', () => 1);
  cache.getOrSetSync('computed', () => 1);
  const summary = cache.monitor?.getPerformanceSummary() ?? {};
  const { evictions } = cache.getStats();
  t.equal(summary['get.hit'].count + summary['get.miss'].count, 1_002, 'getOrSet looks up first');
  t.equal(summary.delete.count, 100);
  t.equal(summary.getOrSet.count, 2);
  t.equal(summary.evict.count, evictions);
  for (const { sampled } of Object.values(summary)) t.equal(sampled, false);
  cache.close();
});
