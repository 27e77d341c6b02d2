import t from 'tap';
import { MonitorMemory } from '../../src/monitor/memory.js';
import { SharedMonitor } from '../../src/monitor/monitor.js';
import { type RecentRecord, RecentRing } from '../../src/monitor/recent.js';
import { readWhileWritten, type WrittenRing } from './monitor-torn.js';

const writer = new URL('./monitor-recent-writer.js', import.meta.url);

function writtenRing(validate: boolean): WrittenRing<RecentRecord> {
  const { handle } = new SharedMonitor({ retention: 2, threads: 1 });
  const ring = new RecentRing(MonitorMemory.attach(handle.buffer), 0);
  return {
    writer,
    workerData: { handle },
    read: () => ring.read(1, 0, validate),
    isTorn: ({ durationNs, sizeBytes }) => durationNs !== sizeBytes,
  };
}

t.test('a ring that wraps around under its readers shows whole records only', async (t) => {
  const { seen, torn } = await readWhileWritten(writtenRing(true), (_, seen) => seen >= 300_000);
  t.equal(torn, 0);
  t.ok(seen > 1_000, `${seen} records read`);
});

t.test('negative control: without validation torn records are seen', async (t) => {
  const { seen, torn } = await readWhileWritten(writtenRing(false), (torn) => torn > 0);
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
