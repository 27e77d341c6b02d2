import { Worker } from 'node:worker_threads';
import t from 'tap';
import { SharedMonitor } from '../../src/monitor/monitor.js';
import { effort } from '../fixtures/effort.js';
import { durations } from './monitor-durations.js';

const SEED = Number(process.env.SEED ?? Date.now() % 1e9);
/** In the long run six threads that finish make 10.2 million. */
const RECORDS = effort('RECORDS', 150_000, 1_700_000);
const THREADS = 8;
const KILLED = [2, 5];
t.setTimeout(200_000);
t.comment(`SEED=${SEED}`);

const PERCENTILES = [0.1, 1, 10, 25, 50, 75, 90, 99, 99.9, 99.99, 99.999];

async function load(monitor: SharedMonitor, threads: number, records: number, killed: number[]): Promise<Float64Array> {
  const progress = new SharedArrayBuffer(threads * 8);
  const published = new Float64Array(progress);
  const url = new URL('./monitor-load.js', import.meta.url);
  const workers = Array.from({ length: threads }, (_, index) => {
    // One that is to be killed records for ever: this thread may be late.
    const workerData = {
      handle: monitor.handle,
      progress,
      index,
      records: killed.includes(index) ? Number.POSITIVE_INFINITY : records,
      seed: SEED,
    };
    return new Worker(url, { workerData, execArgv: [] });
  });
  const exits = workers.map((worker) => new Promise<void>((resolve) => worker.once('exit', () => resolve())));
  for (const index of killed) {
    while (published[index] < records / 8) await new Promise((resolve) => setImmediate(resolve));
    await workers[index].terminate();
  }
  await Promise.all(exits);
  return published;
}

t.test('8 threads, two killed: merged percentiles equal an exact computation', async (t) => {
  const monitor = new SharedMonitor();
  const published = await load(monitor, THREADS, RECORDS, KILLED);
  t.comment(`killed at ${KILLED.map((index) => published[index])}`);
  const told = published.reduce((sum, count) => sum + count, 0);
  const histogram = monitor.histogram('load');
  const { count, avgDataSize } = monitor.getPerformanceSummary().load;
  // A thread killed between its record and its publication has recorded one more than it told.
  t.ok(count >= told && count <= told + KILLED.length, `${count} counted, ${told} told`);
  // One killed in the middle of a record has counted it, and found no cell for it yet.
  const recorded = histogram.totalCount;
  t.ok(recorded <= count && recorded >= count - KILLED.length, `${recorded} in cells, ${count} counted`);

  const exact = new Float64Array(told);
  let filled = 0;
  let sizes = 0;
  for (let index = 0; index < THREADS; index++) {
    const next = durations(SEED + index);
    for (let i = 0; i < published[index]; i++) exact[filled++] = next();
    sizes += published[index] * index;
  }
  exact.sort();
  for (const percentile of PERCENTILES) {
    const value = exact[Math.ceil((percentile / 100) * told) - 1];
    const merged = histogram.getValueAtPercentile(percentile);
    t.ok(
      merged >= value * 0.9999 - 1 && merged <= value * 1.001 + 1,
      `p${percentile}: ${merged} ns merged, ${value} ns exact`,
    );
  }
  t.equal(histogram.maxValue, exact[told - 1], 'the longest is exact');
  t.equal(histogram.minNonZeroValue, exact[0], 'the shortest is exact');
  t.ok(Math.abs(avgDataSize - sizes / told) < 1e-5);

  await t.test('places of ended and of killed threads are taken again, with nothing lost', async (t) => {
    await load(monitor, 2, 1_000, []);
    t.equal(monitor.histogram('load').totalCount, recorded + 2_000);
  });
  t.equal(monitor.dropped, 0);
});

t.test('threads and operations beyond the reserved number share: every record counts', async (t) => {
  const monitor = new SharedMonitor({ threads: 2, histograms: 1, retention: 8 });
  await load(monitor, 5, 20_000, []);
  const { count, recorded, avgDataSize } = monitor.getPerformanceSummary().load;
  t.equal(count, 100_000);
  t.equal(recorded, 100_000);
  t.equal(avgDataSize, 2);
  t.ok(monitor.histogram('load').maxValue > 1e6);
  t.comment(`${monitor.dropped} records had no place in a ring`);
  monitor.reset();
  t.same(monitor.getPerformanceSummary(), {}, 'reset empties shared blocks as well');
  t.equal(monitor.dropped, 0);
});
