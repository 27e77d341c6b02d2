import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import t from 'tap';
import { HEADER } from '../../src/monitor/layout.js';
import { SharedMonitor } from '../../src/monitor/monitor.js';
import type { SharedMonitorHandle } from '../../src/monitor/types.js';

t.test('a summary of what was recorded', async (t) => {
  const monitor = new SharedMonitor();
  for (let i = 1; i <= 100; i++) monitor.recordOperation('op', i, i > 10, i);
  const { op } = monitor.getPerformanceSummary();
  t.equal(op.count, 100);
  t.equal(op.recorded, 100);
  t.equal(op.sampled, false);
  t.equal(op.successRate, 0.9);
  t.equal(op.avgDuration, 50.5);
  t.equal(op.avgDataSize, 50.5);
  t.equal(op.min, 1);
  t.equal(op.max, 100);
  for (const [value, exact] of [
    [op.p50, 50],
    [op.p90, 90],
    [op.p99, 99],
    [op.p999, 100],
  ]) {
    t.ok(Math.abs(value - exact) <= exact / 1000, `${value} for ${exact}`);
  }
});

t.test('arguments are checked before anything is recorded', async (t) => {
  const monitor = new SharedMonitor();
  monitor.recordOperation('op', 1, true);
  const invalid = { name: 'SharedCacheError', code: 'ERR_INVALID_ARGUMENT' };
  for (const duration of [Number.NaN, -1, Number.POSITIVE_INFINITY, '1' as unknown as number]) {
    t.throws(() => monitor.recordOperation('op', duration, true), invalid);
    t.throws(() => monitor.recordOperation('op', 1, true, duration), invalid);
  }
  t.throws(() => monitor.recordOperation('op', 1, 1 as unknown as boolean), invalid);
  for (const name of ['', 'x'.repeat(65), 7 as unknown as string]) {
    t.throws(() => monitor.recordOperation(name, 1, true), invalid);
  }
  t.throws(() => monitor.getRecentMetrics(Number.NaN), invalid);
  t.throws(() => monitor.sampler(0), invalid);
  t.same(Object.keys(monitor.getPerformanceSummary()), ['op']);
  t.equal(monitor.histogram('op').totalCount, 1);
  for (const option of ['operations', 'threads', 'histograms', 'retention', 'sample']) {
    for (const value of [0, -1, 1.5, Number.NaN, 1e9, '4'])
      t.throws(() => new SharedMonitor({ [option]: value }), { code: 'ERR_INVALID_OPTION' });
  }
  t.throws(() => new SharedMonitor({ retain: 1 } as object), { code: 'ERR_INVALID_OPTION' });
});

t.test('operation names: any Unicode, bounded, known to every thread', async (t) => {
  const monitor = new SharedMonitor({ operations: 4 });
  const names = ['__proto__', '大きさ 🥮', '\ud800', 'x'.repeat(64)];
  for (const name of names) monitor.recordOperation(name, 1, true);
  t.throws(() => monitor.recordOperation('fifth', 1, true), { code: 'ERR_TOO_MANY_OPERATIONS' });
  const other = SharedMonitor.attach(structuredClone(monitor.handle));
  t.same(other.operations, names);
  t.same(Object.keys(other.getPerformanceSummary()), names);
});

t.test('time records results, promises and errors', async (t) => {
  const monitor = new SharedMonitor();
  t.equal(
    monitor.time('sync', () => 7),
    7,
  );
  t.equal(await monitor.time('async', async () => 8), 8);
  t.throws(
    () =>
      monitor.time('sync', () => {
        throw new RangeError('no');
      }),
    RangeError,
  );
  await t.rejects(
    monitor.time('async', async () => {
      throw new RangeError('no');
    }),
    RangeError,
  );
  const summary = monitor.getPerformanceSummary();
  for (const name of ['sync', 'async']) t.match(summary[name], { count: 2, successRate: 0.5 });
});

t.test('an interval tells what is new, totals stay', async (t) => {
  const monitor = new SharedMonitor();
  for (let i = 0; i < 10; i++) monitor.recordOperation('a', 1, true);
  t.equal(monitor.interval().operations.a.count, 10);
  t.same(monitor.interval().operations, {});
  monitor.recordOperation('a', 5, false, 100);
  const { operations, start, end } = monitor.interval();
  t.match(operations.a, { count: 1, successRate: 0, avgDuration: 5, avgDataSize: 100 });
  t.ok(Math.abs(operations.a.p50 - 5) <= 0.005);
  t.ok(start <= end);
  t.equal(monitor.getPerformanceSummary().a.count, 11);
  monitor.reset();
  monitor.recordOperation('a', 1, true);
  t.equal(monitor.interval().operations.a.count, 1, 'after a reset all there is is new');
});

t.test('reset forgets everything for every thread, and recording goes on', async (t) => {
  const monitor = new SharedMonitor();
  const recorder = monitor.recorder('a');
  recorder.record(500, false, 1);
  const other = SharedMonitor.attach(monitor.handle);
  other.reset();
  t.same(monitor.getPerformanceSummary(), {});
  t.same(monitor.getRecentMetrics(), []);
  recorder.record(900, true, 3);
  t.match(monitor.getPerformanceSummary().a, { count: 1, successRate: 1, avgDataSize: 3, min: 0.0009, max: 0.0009 });
  t.equal(other.getRecentMetrics().length, 1);
});

t.test('durations beyond the range count as the longest, and are told', async (t) => {
  const monitor = new SharedMonitor();
  const day = 24 * 3_600_000;
  monitor.recordOperation('long', 2 * day, true);
  monitor.recordOperation('long', day, true);
  t.equal(monitor.histogram('long').totalCount, 2);
  t.ok(Math.abs(monitor.getPerformanceSummary().long.p50 - day) <= day / 1_000, 'a day is told apart');
  t.match(monitor.toPrometheus(), 'mooncake_operation_clamped_total{operation="long"} 1\n');
});

t.test('sampled operations are scaled and say so', async (t) => {
  const monitor = new SharedMonitor({ sample: 16 });
  const recorder = monitor.recorder('get');
  const sampler = monitor.sampler();
  for (let i = 0; i < 1_000_000; i++) {
    const due = sampler.due();
    if (due !== 0) recorder.record(100, true, 0, due);
  }
  const { get } = monitor.getPerformanceSummary();
  t.equal(get.sampled, true);
  t.ok(get.count <= 1_000_000 && get.count > 1_000_000 - 32, `${get.count} of 1,000,000`);
  t.ok(Math.abs(get.recorded / 62_500 - 1) < 0.05, `${get.recorded} timed, 62,500 expected`);
  const every = monitor.sampler(1);
  t.ok(
    Array.from({ length: 1_000 }, () => every.due()).every((due) => due === 1),
    'sample 1 times all',
  );
});

t.test('counters are exact beyond 2^31', async (t) => {
  const monitor = new SharedMonitor();
  const recorder = monitor.recorder('big');
  for (let i = 0; i < 5; i++) recorder.record(10, true, 2 ** 40 + 1, 2 ** 33 + 1);
  const { big } = monitor.getPerformanceSummary();
  t.equal(big.count, 5 * (2 ** 33 + 1));
  t.equal(big.avgDataSize, 2 ** 40 + 1);
});

t.test('handles travel in messages; what is no handle is refused', async (t) => {
  const monitor = new SharedMonitor({ threads: 2 });
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(monitor.handle);
  const received = receiveMessageOnPort(port2)?.message as SharedMonitorHandle;
  port1.close();
  SharedMonitor.attach(received).recordOperation('there', 1, true);
  t.equal(monitor.getPerformanceSummary().there.count, 1);

  const changed = (word: number, value: number): unknown => {
    const buffer = new SharedArrayBuffer(monitor.handle.buffer.byteLength);
    new Uint8Array(buffer).set(new Uint8Array(monitor.handle.buffer));
    new Int32Array(buffer)[word] = value;
    return { kind: 'mooncake-monitor', buffer };
  };
  const refused = [
    undefined,
    null,
    7,
    {},
    { kind: 'mooncake-monitor' },
    { kind: 'mooncake-monitor', buffer: new SharedArrayBuffer(64) },
    { kind: 'mooncake-monitor', buffer: new SharedArrayBuffer(4_096) },
    changed(HEADER.magic, 1),
    changed(HEADER.layoutVersion, 99),
    changed(HEADER.threads, 3),
    changed(HEADER.operations, -1),
    changed(HEADER.retention, 2 ** 30),
    changed(HEADER.operationCount, 65),
    changed(HEADER.epoch, 0),
  ];
  for (const handle of refused) {
    t.throws(() => SharedMonitor.attach(handle as SharedMonitorHandle), { code: 'ERR_INVALID_HANDLE' });
  }
});

t.test('after close the object refuses, others go on', async (t) => {
  const monitor = new SharedMonitor();
  const other = SharedMonitor.attach(monitor.handle);
  monitor.recordOperation('a', 1, true);
  monitor.close();
  monitor.close();
  t.throws(() => monitor.recordOperation('a', 1, true), { code: 'ERR_CLOSED' });
  t.throws(() => monitor.getPerformanceSummary(), { code: 'ERR_CLOSED' });
  other.recordOperation('a', 1, true);
  t.equal(other.getPerformanceSummary().a.count, 2);
  other.close();
});
