import { SharedCache } from '../../src/index.js';
import { spread } from '../stats.js';
import { freshKey } from '../workloads/keys.js';
import { seededRandom } from '../workloads/random.js';
import { makeValues, VARIANTS } from '../workloads/values.js';
import { createCache, fill } from './caches.js';
import { at, type CostChart, type CostEffort } from './chart.js';
import { measureProbes, type Probe, ticksOf } from './probe.js';

const MONITOR_ENTRIES = 100_000;
const VALUE_BYTES = 100;
const SWEPT_ENTRIES = 1_000_000;
/** Every tenth entry expires at once, the others in an hour. */
const EXPIRING = 10;
const SHORT_TTL_MS = 1;
const LONG_TTL_MS = 3_600_000;
const SWEEPS = 3;
const SERIES = { get: 'get', put: 'put' } as const;
const MONITORS = ['off', 'on'] as const;

const values = (seed: number): readonly string[] => makeValues('str', VALUE_BYTES, seed) as readonly string[];

/** What has a bound and no axis: latency monitoring, the removal of expired entries, memory. */
export const monitorChart: CostChart = {
  name: 'monitor',
  title: 'Cost of latency monitoring at its default sampling',
  workload: '100,000 entries; 21-byte keys, each string new, drawn uniformly; 100-byte values; one thread',
  xTitle: 'monitor',
  yTitle: 'ns an operation',
  shape: 'bars',
  label: (x) => `monitor ${MONITORS[x]}`,
  ticks: (effort) => ticksOf(MONITORS.length * Object.keys(SERIES).length, effort) + SWEEPS + 1,
  measure: (effort, tick) => {
    const probes = MONITORS.flatMap((_, x) => monitorProbes(x, effort));
    const points = measureProbes(probes, effort, tick);
    const extra = (series: string): number => (at(points, series, 1) / at(points, series, 0) - 1) * 100;
    const sweeps = Array.from({ length: SWEEPS }, () => {
      tick('cleanupExpired');
      return sweepMs(effort);
    });
    tick('memory');
    const bounds = [
      { title: 'get with latency monitoring, extra', unit: '%', wanted: 10, measured: extra(SERIES.get) },
      { title: 'put with latency monitoring, extra', unit: '%', wanted: 10, measured: extra(SERIES.put) },
      {
        title: 'cleanupExpired() of 1M entries of which 10 % expired',
        unit: 'ms',
        wanted: 150,
        measured: spread(sweeps).median,
      },
      {
        title: 'memory for an entry of 20 bytes of key and 100 of value',
        unit: 'bytes',
        wanted: 200,
        measured: entryBytes(),
      },
    ];
    return { points, bounds: bounds.map((bound) => ({ ...bound, kind: 'at most' as const })) };
  },
};

function monitorProbes(x: number, { seed }: CostEffort): Probe[] {
  const all = values(seed);
  const valueAt = (number: number): string => all[number % VARIANTS] as string;
  const cache = createCache<string>(MONITOR_ENTRIES, VALUE_BYTES, { monitor: MONITORS[x] === 'on' });
  fill(cache, 0, MONITOR_ENTRIES, valueAt);
  const random = seededRandom(seed);
  const draw = (): number => Math.floor(random() * MONITOR_ENTRIES);
  return [
    {
      series: SERIES.get,
      x,
      run: (count) => {
        for (let i = 0; i < count; i++)
          if (cache.get(freshKey(draw())) === undefined) throw new Error('a key is missing');
      },
    },
    {
      series: SERIES.put,
      x,
      run: (count) => {
        for (let i = 0; i < count; i++) cache.put(freshKey(draw()), valueAt(i));
      },
    },
  ];
}

/** ms that removing the expired tenth of a large cache takes. */
function sweepMs({ seed }: CostEffort): number {
  const cache = createCache<string>(SWEPT_ENTRIES, VALUE_BYTES);
  const all = values(seed);
  let expiring = 0;
  for (let i = 0; i < SWEPT_ENTRIES; i++) {
    const ttl = i % EXPIRING === 0 ? SHORT_TTL_MS : LONG_TTL_MS;
    if (!cache.put(freshKey(i), all[i % VARIANTS] as string, { ttl })) throw new Error('a put was refused');
    if (ttl === SHORT_TTL_MS) expiring++;
  }
  const last = freshKey(SWEPT_ENTRIES - EXPIRING);
  while (cache.has(last));
  const start = performance.now();
  const removed = cache.cleanupExpired();
  const tookMs = performance.now() - start;
  cache.close();
  // Filling takes longer than the coarse clock's error, so all are known to have expired but the very last.
  if (Math.abs(removed - expiring) > expiring / 100)
    throw new Error(`${removed} of ${expiring} expired entries removed`);
  return tookMs;
}

/** All shared memory of a cache by the small entries it holds when most puts evict. */
function entryBytes(): number {
  const cache = new SharedCache<string>({ sweep: false, eviction: 'fifo' });
  const value = 'v'.repeat(100);
  let puts = 0;
  for (let evicted = 0; evicted < 5_000; ) {
    const before = cache.getStats().evictions;
    for (const end = puts + 10_000; puts < end; puts++) cache.put(`key:${String(puts).padStart(16, '0')}`, value);
    evicted = cache.getStats().evictions - before;
  }
  const { control, segments } = cache.handle.buffers;
  const allocated = segments.reduce((sum, segment) => sum + segment.byteLength, control.byteLength);
  const { totalObjects } = cache.getStats();
  cache.close();
  return allocated / totalObjects;
}
