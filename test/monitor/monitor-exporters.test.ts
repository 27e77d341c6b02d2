import { type Histogram, HistogramLogReader, listTags } from 'hdr-histogram-js';
import { Registry } from 'prom-client';
import t from 'tap';
import { SharedCache } from '../../src/index.js';
import { CELLS, cellOf, highestOf } from '../../src/monitor/buckets.js';
import { SharedMonitor } from '../../src/monitor/monitor.js';
import { durations } from './monitor-durations.js';
import { parsePrometheus } from './prometheus-parser.js';

const SEED = Number(process.env.SEED ?? Date.now() % 1e9);
t.comment(`SEED=${SEED}`);

const NAMES = ['get.hit', 'render, "main"\n\\page', 'größe 🥮', '100%'];
const totals = { hits: 3, misses: 1, evictions: 2, totalObjects: 7, memoryUsage: 4_096, maxBytes: 65_536 };

function cells(histogram: Histogram | null): number[] {
  const counted = histogram as unknown as { getCountAtIndex(cell: number): number };
  return Array.from({ length: CELLS }, (_, cell) => counted.getCountAtIndex(cell) || 0);
}

function filled(): SharedMonitor {
  const monitor = new SharedMonitor();
  const next = durations(SEED);
  for (let i = 0; i < 40_000; i++) monitor.recordOperation(NAMES[i % 4], next() / 1e6, i % 10 !== 0, 3);
  monitor.observe(() => totals);
  return monitor;
}

t.test('the log decoded by hdr-histogram-js equals its source', async (t) => {
  const monitor = filled();
  const log = monitor.toHlog();
  t.same(listTags(log), ['get.hit', 'render%2C%20"main"%0A\\page', 'größe%20🥮', '100%25']);
  const reader = new HistogramLogReader(log, 64);
  for (const name of NAMES) {
    const decoded = reader.nextIntervalHistogram();
    const source = monitor.histogram(name);
    t.equal(decoded && decodeURIComponent(decoded.tag), name);
    const { max, ...percentiles } = source.toJSON();
    t.match(decoded?.toJSON(), percentiles);
    t.equal(decoded?.maxValue, highestOf(cellOf(max)), 'the format keeps the cell of the longest, not its ns');
    t.equal(decoded?.mean, source.mean);
    t.equal(decoded?.stdDeviation, source.stdDeviation);
    t.same(cells(decoded), cells(source), 'cell by cell');
  }
  t.equal(reader.nextIntervalHistogram(), null);
  t.notMatch(log, /\n\n/);
});

t.test('the Prometheus text passes a strict parser', async (t) => {
  const monitor = filled();
  const samples = parsePrometheus(monitor.toPrometheus());
  const label = 'operation="get.hit"';
  t.equal(samples.get(`mooncake_operation_duration_seconds_count{${label}}`), 10_000);
  t.equal(samples.get(`mooncake_operations_total{${label}}`), 10_000);
  t.equal(samples.get(`mooncake_operation_bytes_total{${label}}`), 30_000);
  t.equal(samples.get('mooncake_cache_hits_total{}'), 3);
  t.equal(samples.get('mooncake_cache_misses_total{}'), 1);
  t.equal(samples.get('mooncake_cache_evictions_total{}'), 2);
  t.equal(samples.get('mooncake_cache_memory_bytes{}'), 4_096);
  const { avgDuration } = monitor.getPerformanceSummary()['get.hit'];
  const sum = samples.get(`mooncake_operation_duration_seconds_sum{${label}}`) ?? 0;
  t.ok(Math.abs(sum - avgDuration * 10) < 1e-6, 'the sum is that of the durations');
  parsePrometheus(new SharedMonitor().toPrometheus());
});

t.test('the parser refuses what is wrong', async (t) => {
  const good = filled().toPrometheus();
  for (const [from, to] of [
    ['# TYPE mooncake_operations_total counter\n', ''],
    ['le="+Inf"', 'le="1"'],
    ['_count{operation="get.hit"} 10000', '_count{operation="get.hit"} 9999'],
    ['mooncake_cache_hits_total 3', 'mooncake_cache_hits_total three'],
    ['operation="100%"} ', 'operation="get.hit"} '],
    ['\\"main', '"main'],
  ]) {
    t.ok(good.includes(from), from);
    t.throws(() => parsePrometheus(good.replace(from, to)));
  }
});

t.test('a prom-client registry shows the same samples', async (t) => {
  const monitor = filled();
  const registry = new Registry();
  monitor.registerPrometheus(registry);
  const theirs = parsePrometheus((await registry.metrics()).replace(/\n\n/g, '\n'));
  t.same([...theirs], [...parsePrometheus(monitor.toPrometheus())]);
});

t.test('a scrape asks a cache for its totals once', async (t) => {
  const monitor = new SharedMonitor();
  const cache = new SharedCache({ maxBytes: '1MB' });
  let asked = 0;
  monitor.observe(() => {
    asked++;
    return cache.getStats();
  });
  const registry = new Registry();
  monitor.registerPrometheus(registry);
  for (let scrape = 1; scrape <= 2; scrape++) {
    cache.get('x');
    t.match(await registry.metrics(), new RegExp(`^mooncake_cache_misses_total ${scrape}$`, 'm'));
    t.equal(asked, scrape);
  }
  monitor.close();
  cache.close();
});

t.test('one registry: several monitors, the same one twice, and closed ones', async (t) => {
  for (const type of [undefined, Registry.OPENMETRICS_CONTENT_TYPE]) {
    const registry =
      type === undefined ? new Registry() : new (Registry as unknown as new (type: string) => Registry)(type);
    const [a, b] = [0, 1].map(() => new SharedCache<number>({ maxBytes: '2MB', monitor: { sample: 1 } }));
    for (const cache of [a, a, b]) cache.monitor?.registerPrometheus(registry as never);
    a.put('x', 1);
    a.get('x');
    b.get('x');
    a.delete('x');
    const has = async (line: string): Promise<void> => {
      const lines = (await registry.metrics()).split('\n');
      t.ok(lines.includes(line), line);
    };
    await has('mooncake_cache_hits_total 1');
    await has('mooncake_cache_misses_total 1');
    await has('mooncake_cache_left_total{cause="deleted"} 1');
    if (type !== undefined) await has('# TYPE mooncake_cache_hits counter');
    a.close();
    await has('mooncake_cache_hits_total 1');
    await has('mooncake_operations_total{operation="get.hit"} 1');
    b.close();
    await has('mooncake_cache_misses_total 1');
    const c = new SharedCache<number>({ maxBytes: '2MB', monitor: { sample: 1 } });
    c.monitor?.registerPrometheus(registry as never);
    c.get('x');
    await has('mooncake_cache_misses_total 2');
    c.close();
  }
});

t.test('a cache that was closed while its monitor is open', async (t) => {
  const cache = new SharedCache<number>({ maxBytes: '2MB' });
  const monitor = new SharedMonitor();
  monitor.observe(() => cache.getStats());
  cache.get('x');
  t.match(monitor.toPrometheus(), /^mooncake_cache_misses_total 1$/m);
  cache.close();
  t.match(monitor.toPrometheus(), /^mooncake_cache_misses_total 1$/m);
  monitor.recordOperation('with\rreturn', 1, true);
  t.notMatch(monitor.toPrometheus(), /\r/);
  monitor.close();
});
