/** One latency picture over all processes that have opened a cache: it lies in the cache's file. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { type Recorder, SharedCache, SharedMonitor } from 'mooncake-cache';
import t from 'tap';
import { decodePlacedKey } from '../../src/codec/placed-key.js';
import { KeyNotes } from '../../src/monitor/key-notes.js';
import { MAX_KEY_NOTES } from '../../src/monitor/layout.js';
import { MonitorMemory } from '../../src/monitor/memory.js';
import type { MonitorLocks } from '../../src/monitor/presence.js';
import { effort } from '../fixtures/effort.js';
import { folderFor } from '../fixtures/process/folder.js';
import { HOT_KEY, HOT_NAMESPACE, isOtherKey } from '../fixtures/skewed.js';

const program = fileURLToPath(new URL('../fixtures/process/recorder.js', import.meta.url));
const thread = new URL('../fixtures/process/recorder-thread.js', import.meta.url);
const skewed = fileURLToPath(new URL('../fixtures/skewed.js', import.meta.url));
const RECORDS = 200;
const KILLS = effort('KILLS', 6, 60);
t.setTimeout(120_000);
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const workOf = (cache: SharedCache<number>): number | undefined =>
  (cache.monitor as SharedMonitor).getPerformanceSummary().work?.count;

t.test(
  'processes, threads and handles record into one monitor, the killed included, and it survives them',
  async (t) => {
    const path = `${folderFor(t)}/cache`;
    const options = { maxBytes: '4MB', monitor: { sample: 1 }, sweep: false } as const;
    const cache = SharedCache.open<number>(path, options);
    const members = Array.from({ length: 3 }, (_, i) =>
      fork(program, [path, String(RECORDS), i === 0 ? 'ends' : 'stays'], { execArgv: [] }),
    );
    const ends = members.map((member) => once(member, 'exit'));
    await Promise.all(members.map((member) => once(member, 'message')));
    members[1].kill('SIGKILL');
    members[2].kill('SIGKILL');
    await Promise.all(ends);
    t.equal(workOf(cache), 3 * RECORDS);
    t.ok((cache.monitor?.getPerformanceSummary().put?.count ?? 0) >= 3, 'the operations of the cache too');

    for (const handle of [cache.handle, cache.monitor?.handle]) {
      const worker = new Worker(thread, { workerData: handle, execArgv: [] });
      const [code] = await once(worker, 'exit');
      t.equal(code, 0);
    }
    t.equal(workOf(cache), 3 * RECORDS + 2);
    t.equal(cache.monitor?.dropped, 0, 'places of the dead are taken again');
    t.match(cache.monitor?.toPrometheus(), /operation="work"/);

    for (const other of [false, true, { sample: 7 }])
      t.throws(() => SharedCache.open(path, { monitor: other }), { code: 'ERR_INVALID_OPTION', message: /monitor/ });
    cache.close();
    t.throws(() => cache.monitor?.operations, { code: 'ERR_CLOSED' });

    using warm = SharedCache.open<number>(path, { monitor: { sample: 1 } });
    t.equal(warm.origin, 'warm');
    t.equal(workOf(warm), 3 * RECORDS + 2, 'the histograms are there after a restart');
    warm.monitor?.recordOperation('more', 1, true);
    t.strictSame(warm.monitor?.operations.includes('more'), true);
  },
);

t.test('a monitor that is dropped gives its place at the file back, but not before its recorders', async (t) => {
  const path = `${folderFor(t)}/cache`;
  using cache = SharedCache.open<number>(path, { maxBytes: '1MB', monitor: true, sweep: false });
  const handle = (cache.monitor as SharedMonitor).handle;
  const users = new Int32Array(handle.file?.users as SharedArrayBuffer);
  let recorder: Recorder | undefined = SharedMonitor.attach(handle).recorder('work');
  SharedMonitor.attach(handle);
  t.equal(users[0], 3);
  for (let i = 0; i < 1_000 && users[0] > 2; i++) {
    collectGarbage();
    await turn();
  }
  t.equal(users[0], 2);
  recorder.record(1e6, true);
  t.equal(workOf(cache), 1);
  recorder = undefined;
  for (let i = 0; i < 1_000 && users[0] > 1; i++) {
    collectGarbage();
    await turn();
  }
  t.equal(users[0], 1);
});

t.test('two opens in one thread share the monitor', async (t) => {
  const path = `${folderFor(t)}/cache`;
  using one = SharedCache.open<number>(path, { maxBytes: '1MB', monitor: true, sweep: false });
  const two = SharedCache.open<number>(path);
  one.monitor?.recordOperation('work', 1, true);
  two.monitor?.recordOperation('work', 1, true);
  two.close();
  one.monitor?.recordOperation('work', 1, true);
  t.equal(workOf(one), 3);
  t.end();
});

t.test('a cache whose monitor makes no sense is discarded', async (t) => {
  const path = `${folderFor(t)}/cache`;
  const cache = SharedCache.open<number>(path, { maxBytes: '1MB', monitor: true, sweep: false });
  const { file } = cache.handle.buffers;
  new Int32Array(file?.monitor as SharedArrayBuffer)[2] = -1;
  cache.close();
  using next = SharedCache.open<number>(path, { maxBytes: '1MB', monitor: true, sweep: false });
  t.equal(next.origin, 'discarded');
  next.monitor?.recordOperation('work', 1, true);
  t.equal(workOf(next), 1);
});

t.test('a file without a monitor has none', async (t) => {
  const path = `${folderFor(t)}/cache`;
  using cache = SharedCache.open<number>(path, { maxBytes: '1MB', sweep: false });
  t.equal(cache.monitor, undefined);
  t.throws(() => SharedCache.open(path, { monitor: true }), { code: 'ERR_INVALID_OPTION' });
});

t.test('processes with a skewed load, killed as they go: the hot key is first, and every note is whole', async (t) => {
  const path = `${folderFor(t)}/cache`;
  using cache = SharedCache.open<number>(path, { maxBytes: '1MB', monitor: { sample: 4 }, sweep: false });
  const monitor = cache.monitor as SharedMonitor;
  cache.namespace<number>(HOT_NAMESPACE).put(HOT_KEY, 1);
  // It reads alone, so that it needs none of the file's locks.
  const memory = MonitorMemory.attach(monitor.handle.buffer, {} as MonitorLocks);
  const notesOf = (place: number): string[] =>
    new KeyNotes(memory, place).read().map(({ text }) => {
      const { key } = decodePlacedKey(Buffer.from(text, 'latin1'), text.length);
      return key;
    });
  const places = Array.from({ length: memory.dimensions.threads }, (_, place) => place);
  for (let kill = 0; kill < KILLS; kill += 2) {
    const pair = [0, 1].map(() => fork(skewed, [path, 'goes on'], { execArgv: [] }));
    const ends = pair.map((member) => once(member, 'exit'));
    await Promise.all(pair.map((member) => once(member, 'message')));
    for (const member of pair) member.kill('SIGKILL');
    await Promise.all(ends);
    const notes = places.map(notesOf).filter((keys) => keys.length > 0);
    t.equal(notes.filter((keys) => keys.length >= MAX_KEY_NOTES - 1).length, 2, 'the dead lost one note each at most');
    t.strictSame(
      notes.flat().filter((key) => key !== HOT_KEY && !isOtherKey(key)),
      [],
    );
  }
  const { keys } = monitor.getHottestKeys();
  t.match(keys[0], { key: HOT_KEY, namespaces: [HOT_NAMESPACE], isCut: false });
  t.ok(Math.abs(keys[0].share - 1 / 3) < 0.15, `${keys[0].share}`);
});
