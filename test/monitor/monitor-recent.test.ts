import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { MonitorMemory } from '../../src/monitor/memory.js';
import { SharedMonitor } from '../../src/monitor/monitor.js';
import { RecentRing } from '../../src/monitor/recent.js';

const url = new URL('./monitor-recent-writer.js', import.meta.url);

/** Reads the writer's ring over and over; how many records there were, and how many of them were mixed of two. */
async function readWhileWritten(validate: boolean, enough: (torn: number, seen: number) => boolean) {
  const monitor = new SharedMonitor({ retention: 2, threads: 1 });
  const stop = new SharedArrayBuffer(4);
  const worker = new Worker(url, { workerData: { handle: monitor.handle, stop }, execArgv: [] });
  const ring = new RecentRing(MonitorMemory.attach(monitor.handle.buffer), 0);
  let seen = 0;
  let torn = 0;
  const end = performance.now() + 6_000;
  while (performance.now() < end && !enough(torn, seen)) {
    for (const record of ring.read(1, 0, validate)) {
      seen++;
      if (record.durationNs !== record.sizeBytes) torn++;
    }
  }
  Atomics.store(new Int32Array(stop), 0, 1);
  await once(worker, 'exit');
  return { seen, torn };
}

t.test('a ring that wraps around under its readers shows whole records only', async (t) => {
  const { seen, torn } = await readWhileWritten(true, (_, seen) => seen >= 300_000);
  t.equal(torn, 0);
  t.ok(seen > 1_000, `${seen} records read`);
});

t.test('negative control: without validation torn records are seen', async (t) => {
  const { seen, torn } = await readWhileWritten(false, (torn) => torn > 0);
  t.ok(torn > 0, `${torn} of ${seen} records torn`);
});

t.test('the last `retention` records of a thread remain, oldest first', async (t) => {
  const monitor = new SharedMonitor({ retention: 10 });
  for (let i = 1; i <= 25; i++) monitor.recordOperation(i % 2 === 0 ? 'even' : 'odd', i, i % 5 !== 0, i * 10);
  const metrics = monitor.getRecentMetrics();
  t.same(
    metrics.map(({ duration }) => duration).sort((a, b) => a - b),
    [16, 17, 18, 19, 20, 21, 22, 23, 24, 25],
  );
  t.match(
    metrics.find(({ duration }) => duration === 20),
    { operation: 'even', success: false, dataSize: 200, thread: 0 },
  );
  t.same(
    monitor.getRecentMetrics(0).filter(({ timestamp }) => timestamp < Date.now() - 1_000),
    [],
  );
});
