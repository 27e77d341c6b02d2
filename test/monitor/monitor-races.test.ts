import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { HEADER } from '../../src/monitor/layout.js';
import { SharedMonitor } from '../../src/monitor/monitor.js';

const THREADS = 6;
const NAMES = Array.from({ length: 32 }, (_, i) => `operation ${i}`);

t.test('threads that add the same names at once agree on them', async (t) => {
  const monitor = new SharedMonitor({ operations: NAMES.length });
  const gate = new SharedArrayBuffer(8);
  const word = new Int32Array(gate);
  const url = new URL('./monitor-names-worker.js', import.meta.url);
  const workers = Array.from({ length: THREADS }, (_, i) => {
    const names = [...NAMES.slice(i * 5), ...NAMES.slice(0, i * 5)];
    return new Worker(url, { workerData: { handle: monitor.handle, gate, names }, execArgv: [] });
  });
  const exits = Promise.all(workers.map((worker) => once(worker, 'exit')));
  for (let ready = 0; ready < THREADS; ready = Atomics.load(word, 1)) {
    const wait = Atomics.waitAsync(word, 1, ready, 1_000);
    if (wait.async) await wait.value;
  }
  Atomics.store(word, 0, 1);
  Atomics.notify(word, 0);
  await exits;
  t.same([...monitor.operations].sort(), [...NAMES].sort());
  const counts = Object.values(monitor.getPerformanceSummary()).map(({ count }) => count);
  t.same(counts, new Array(NAMES.length).fill(THREADS));
});

t.test('names left locked by a thread that is gone are taken over', async (t) => {
  const monitor = new SharedMonitor();
  // No thread has this identity: the largest process number Linux gives is 2^22.
  Atomics.store(new Int32Array(monitor.handle.buffer), HEADER.namesLock, 2 ** 30 + 1);
  monitor.recordOperation('after', 1, true);
  t.same(monitor.operations, ['after']);
  t.equal(Atomics.load(new Int32Array(monitor.handle.buffer), HEADER.namesLock), 0);
});

t.test('reset while another thread records: what comes after counts, nothing twice', async (t) => {
  const monitor = new SharedMonitor();
  const stop = new SharedArrayBuffer(4);
  const url = new URL('./monitor-recent-writer.js', import.meta.url);
  const worker = new Worker(url, { workerData: { handle: monitor.handle, stop }, execArgv: [] });
  while (monitor.histogram('spin').totalCount < 1_000) await new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i < 200; i++) {
    monitor.reset();
    const { spin } = monitor.getPerformanceSummary();
    if (spin === undefined) continue;
    const sane = spin.max <= 1e3 && spin.min <= spin.p50 && spin.p50 <= spin.max && spin.successRate === 1;
    if (!sane) t.fail(`after a reset: ${JSON.stringify(spin)}`);
  }
  Atomics.store(new Int32Array(stop), 0, 1);
  await once(worker, 'exit');
  const { count } = monitor.interval().operations.spin ?? { count: 0 };
  t.equal(monitor.histogram('spin').totalCount, count);
  t.equal(monitor.getPerformanceSummary().spin?.count ?? 0, count);
});
