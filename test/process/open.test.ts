/** SharedCache.open: one cache for all processes that open the path. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { SharedCache } from '../../src/index.js';
import { Arena } from '../../src/memory/arena.js';
import { effort } from '../fixtures/effort.js';
import { folderFor } from '../fixtures/process/folder.js';

const member = fileURLToPath(new URL('../fixtures/process-member.js', import.meta.url));
const KILLS = effort('KILLS', 8, 60);
t.setTimeout(240_000);

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'mooncake-test-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newPath = (): string => join(folder, `cache-${++files}`);

function start(path: string, ...args: (string | number)[]): ChildProcess {
  return fork(member, [path, ...args.map(String)], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** How many it was given, chosen or not. */
const shardsOf = (cache: SharedCache<unknown>): number => Arena.attach(cache.handle.buffers).shards.length;

t.test('new, joined, warm; the options are the file’s', async (t) => {
  const path = newPath();
  const cache = SharedCache.open<unknown>(path, { maxBytes: '4MB', ttl: '1h', eviction: 'lru', sweep: false });
  t.equal(cache.origin, 'new');
  t.equal(cache.path, path);
  t.equal(statSync(path).mode & 0o777, 0o600);
  cache.put('k', { deep: [1, Buffer.from('bytes')] }, { tags: ['t'] });
  cache.namespace('n').put('k', 5);
  const second = SharedCache.open<unknown>(path);
  t.equal(second.origin, 'joined');
  t.same(second.get('k'), { deep: [1, Buffer.from('bytes')] });
  t.equal(second.getStats().maxBytes, 4 * 2 ** 20);
  for (const options of [
    { maxBytes: '5MB' },
    { ttl: 5 },
    { eviction: 'fifo' as const },
    { maxEntries: 7 },
    { shards: 1 },
    { frozen: true },
    { nearBytes: '1MB' },
  ])
    t.throws(() => SharedCache.open(path, options), { code: 'ERR_INVALID_OPTION' }, JSON.stringify(options));
  t.throws(() => SharedCache.open(path, { codec: { encode: () => new Uint8Array(1), decode: () => 1 } }), {
    code: 'ERR_INVALID_OPTION',
  });
  const agreeing = SharedCache.open(path, { maxBytes: '4MB', ttl: 3_600_000, shards: shardsOf(cache) });
  agreeing.close();
  cache.close();
  second.close();
  const warm = SharedCache.open<unknown>(path);
  t.equal(warm.origin, 'warm');
  t.same(warm.get('k'), { deep: [1, Buffer.from('bytes')] });
  t.same(warm.entry('k')?.tags, ['t']);
  t.equal(warm.namespace('n').get('k'), 5);
  t.ok((warm.expiresIn('k') as number) > 3_500_000);
  t.same(warm.inspect().problems, []);
  warm.close();
  t.equal(SharedCache.remove(path), true);
  t.equal(SharedCache.remove(path), false);
});

t.test('an open that follows a close finds nobody there, not even the sweeper', async (t) => {
  const path = newPath();
  for (let round = 0; round < 30; round++) {
    const cache = SharedCache.open<number>(path, { maxBytes: '1MB', sweep: { intervalMs: 5 } });
    t.equal(cache.origin, round === 0 ? 'new' : 'warm');
    if (round % 2 === 0) {
      // Until the sweeper is known to work, because it has removed something.
      const { expirations } = cache.getStats();
      cache.put('soon over', round, { ttl: 1 });
      while (cache.getStats().expirations === expirations) await new Promise((resolve) => setImmediate(resolve));
    }
    cache.close();
  }
});

t.test('an option that only the file’s other options allow can be named alone', (t) => {
  // A container's /dev/shm may be too small for it.
  const path = `${folderFor(t, 'disk')}/cache`;
  const cache = SharedCache.open(path, { maxBytes: '80MB', shards: 512, sweep: false });
  t.throws(() => new SharedCache({ shards: 512 }), { code: 'ERR_INVALID_OPTION' }, 'not with the default size');
  const joined = SharedCache.open(path, { shards: 512 });
  t.equal(joined.origin, 'joined');
  joined.close();
  cache.close();
  t.end();
});

t.test('frozen values are the file’s, also for a process that opens it later', (t) => {
  const path = newPath();
  const cache = SharedCache.open<unknown>(path, { maxBytes: '4MB', frozen: true, nearBytes: '64KB', sweep: false });
  cache.put('k', { deep: [{ er: 1 }] });
  t.throws(() => SharedCache.open(path, { frozen: false }), { code: 'ERR_INVALID_OPTION' });
  t.throws(() => SharedCache.open(path, { nearBytes: 1 }), { code: 'ERR_INVALID_OPTION' });
  cache.close();
  const warm = SharedCache.open<{ deep: object[] }>(path);
  const value = warm.get('k');
  t.equal(warm.get('k'), value);
  t.ok(Object.isFrozen(value?.deep[0]));
  SharedCache.open(path, { frozen: true, nearBytes: 65_536 }).close();
  warm.close();
  t.end();
});

t.test('files that are none of ours, and damaged ones', async (t) => {
  const foreign = newPath();
  writeFileSync(foreign, 'somebody’s letter', { mode: 0o600 });
  t.throws(() => SharedCache.open(foreign), { code: 'ERR_INVALID_FILE' });
  t.throws(() => SharedCache.remove(foreign), { code: 'ERR_INVALID_FILE' });
  t.equal(readFileSync(foreign, 'utf8'), 'somebody’s letter');
  const link = newPath();
  symlinkSync(foreign, link);
  t.throws(() => SharedCache.open(link), { code: 'ERR_INVALID_FILE' });
  const empty = newPath();
  writeFileSync(empty, '', { mode: 0o600 });
  const options = { maxBytes: '2MB', sweep: false };
  const cache = SharedCache.open<number>(empty, options);
  t.equal(cache.origin, 'new');
  cache.put('k', 1);
  cache.close();
  truncateSync(empty, 1_000_000);
  t.throws(() => SharedCache.open(empty, { mustExist: true }), { code: 'ERR_INVALID_FILE' });
  t.equal(statSync(empty).size, 1_000_000, 'what must be there is not discarded');
  const discarded = SharedCache.open<number>(empty, options);
  t.equal(discarded.origin, 'discarded');
  t.equal(discarded.get('k'), undefined);
  const there = SharedCache.open<number>(empty, { mustExist: true });
  t.equal(there.origin, 'joined');
  there.close();
  discarded.close();
  const missing = newPath();
  t.throws(() => SharedCache.open(missing, { mustExist: true }), { code: 'ERR_INVALID_FILE' });
  t.notOk(existsSync(missing), 'nor made');
  t.throws(() => SharedCache.open(empty, { mustExist: 1 as never }), { code: 'ERR_INVALID_OPTION' });
  t.throws(() => SharedCache.open(empty, { mustExists: true } as never), /did you mean mustExist/);
  t.throws(() => new SharedCache({ mustExist: true } as never), { code: 'ERR_INVALID_OPTION' });
  for (const path of ['', 5, 'with\0nul'] as string[])
    t.throws(() => SharedCache.open(path), { code: 'ERR_INVALID_ARGUMENT' });
  t.throws(() => SharedCache.open(join(folder, 'no such folder', 'x')), { code: 'ERR_INVALID_FILE' });
});

t.test('processes count together, and load once', async (t) => {
  const path = newPath();
  const cache = SharedCache.open<number>(path, { maxBytes: '4MB' });
  const children = [0, 1, 2].map((seat) => start(path, 'count', seat, 20_000));
  const told = await Promise.all(children.map(async (child) => (await once(child, 'message'))[0]));
  t.same(told, new Array(3).fill({ origin: 'joined', loaded: 1, sync: 1 }));
  await Promise.all(children.map((child) => (child.exitCode === null ? once(child, 'exit') : undefined)));
  t.equal(cache.get('counter'), 60_000);
  t.same(cache.getMany(['loads', 'loads too']), [1, 1]);
  t.equal(cache.getStats().threads, 1);
  t.same(cache.inspect().problems, []);
  cache.close();
});

t.test('a process that only awaits the load of another stays until it has the value', async (t) => {
  const path = newPath();
  const cache = SharedCache.open<string>(path, { maxBytes: '1MB', sweep: false });
  const loading = start(path, 'load');
  await once(loading, 'message');
  const waiting = start(path, 'await');
  const heard: unknown[] = [];
  waiting.on('message', (message) => heard.push(message));
  // With all it has said.
  const ended = Promise.all([once(waiting, 'exit'), once(waiting, 'disconnect')]);
  await once(waiting, 'message');
  // Not a synchronisation: time for a process that has nothing to wait for to end.
  await Promise.race([ended, delay(300)]);
  loading.send('finish');
  const [[code]] = await ended;
  t.equal(code, 0);
  t.same(heard, ['asking', 'loaded']);
  cache.close();
});

t.test('threads attach to an opened cache by its handle', async (t) => {
  const cache = SharedCache.open<number>(newPath(), { maxBytes: '4MB' });
  const worker = new Worker(new URL('../fixtures/exit-writer.js', import.meta.url), {
    execArgv: [],
    workerData: cache.handle,
  });
  await once(worker, 'exit');
  t.equal(cache.get('in the handler'), 1_000);
  t.equal(cache.getStats().threads, 1, 'the ended thread is not counted');
  cache.close();
});

t.test(
  `${KILLS} processes killed while they write: nothing acknowledged is lost, and reopened it is warm`,
  async (t) => {
    const path = newPath();
    const watcher = SharedCache.open<number | string>(path, { maxBytes: '16MB' });
    const check = (cache: SharedCache<number | string>, seat: number): void => {
      const acknowledged = Number(cache.peek(`acknowledged ${seat}`));
      const [owner, number] = String(cache.peek(`member ${seat}`)).split(':');
      t.equal(Number(owner), seat);
      t.ok(Number(number) - acknowledged === 0 || Number(number) - acknowledged === 1, `${number} of ${acknowledged}`);
    };
    for (let seat = 0; seat < KILLS; seat += 4) {
      const seats = [0, 1, 2, 3].map((i) => seat + i);
      await Promise.all(
        seats.map(async (each) => {
          const child = start(path, 'write', each);
          await once(child, 'message');
          child.kill('SIGKILL');
          await once(child, 'exit');
        }),
      );
      for (const each of seats) check(watcher, each);
      t.same(watcher.inspect().problems, []);
    }
    t.equal(watcher.getStats().threads, 1);
    watcher.close();
    // The sweeper's thread leaves a moment later.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const last = start(path, 'write', KILLS);
    await once(last, 'message');
    last.kill('SIGKILL');
    await once(last, 'exit');
    const warm = SharedCache.open<number | string>(path);
    t.equal(warm.origin, 'warm');
    for (let seat = 0; seat <= KILLS; seat++) check(warm, seat);
    t.same(warm.inspect().problems, []);
    warm.close();
  },
);
