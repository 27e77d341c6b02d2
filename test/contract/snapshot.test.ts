import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { EvictionName, SharedCacheOptions } from '../../src/index.js';
import { dumpFile, restBeside } from '../fixtures/snapshots.js';
import { newCache, withCache } from '../fixtures/with-cache.js';

const POLICIES: readonly EvictionName[] = ['adaptive', 's3-fifo', 'lru', 'lfu', 'fifo'];

const VALUES: readonly unknown[] = [
  '',
  'latin1: \u00e9\u00ff',
  'wide: \u{1f600} \ud800',
  'x'.repeat(200_000),
  0,
  -0,
  Number.NaN,
  Number.NEGATIVE_INFINITY,
  1.5,
  true,
  false,
  null,
  -(2n ** 90n),
  { a: [1, { b: 'c' }], u: undefined },
  [],
  new Map([['k', new Set([1])]]),
  new Date(5),
  /x/gi,
  Buffer.from('bytes'),
  Buffer.alloc(100_000, 7),
  new Uint8Array([1, 2]),
  new Float64Array([0.5]),
  new DataView(new ArrayBuffer(3)),
  new ArrayBuffer(5),
];

t.test('every kind of value and key comes back, whatever the policy and the size', async (t) => {
  const file = dumpFile(t);
  const keys = ['', 'plain', '\u00e9', '\u{1f600}', '\ud800', '\udc00\ud800', '\ufffd', 'k'.repeat(65_000), '\0'];
  for (const eviction of POLICIES) {
    const from = withCache<unknown>(t, { eviction, maxBytes: '32MB', ttl: Number.POSITIVE_INFINITY });
    for (const [i, value] of VALUES.entries()) t.ok(from.put(`value ${i}`, value));
    for (const key of keys) t.ok(from.put(key, key));
    const dumped = await from.dump(file);
    t.equal(dumped.entries, VALUES.length + keys.length);
    t.equal(dumped.bytes, statSync(file).size);
    t.ok(dumped.durationMs >= 0);
    const to = withCache<unknown>(t, { maxBytes: '64MB', shards: 1 });
    const { durationMs, ...counts } = await to.load(file);
    t.same(counts, { entries: dumped.entries, present: 0, expired: 0, refused: 0 });
    t.ok(durationMs >= 0);
    for (const i of VALUES.keys()) t.strictSame(to.get(`value ${i}`), from.get(`value ${i}`), `value ${i}`);
    for (const key of keys) t.equal(to.get(key), key);
    t.equal(to.expiresIn('plain'), Number.POSITIVE_INFINITY);
    t.same([...to.keys()].sort(), [...from.keys()].sort());
    t.same(restBeside(file), []);
  }
});

t.test('times go on, and what is over is left out', async (t) => {
  const file = dumpFile(t);
  let time = 1_000_000;
  const now = (): number => time;
  const from = withCache<number>(t, { now });
  from.put('short', 1, { ttl: 1_000 });
  from.put('long', 2, { ttl: 10_000 });
  from.put('over', 3, { ttl: 10 });
  time += 500;
  t.equal((await from.dump(file)).entries, 2);
  time += 1_500;
  const to = withCache<number>(t, { now });
  t.match(await to.load(file), { entries: 1, expired: 1 });
  t.equal(to.get('short'), undefined);
  t.equal(to.expiresIn('long'), 8_000);
  const real = withCache<number>(t);
  t.match(await real.load(file), { entries: 0, expired: 2 }, 'the same file, long after');
});

t.test('the real clock carries times to another cache', async (t) => {
  const file = dumpFile(t);
  const from = withCache<number>(t);
  from.put('a', 1, { ttl: 60_000 });
  await from.dump(file);
  const to = withCache<number>(t);
  await to.load(file);
  const left = to.expiresIn('a') ?? 0;
  t.ok(left > 30_000 && left <= 60_001, `${left} ms left`);
});

t.test('namespaces and tags come along, and tags still end what has them', async (t) => {
  const file = dumpFile(t);
  const from = withCache<unknown>(t);
  from.put('k', 'root', { tags: ['t', '\ud800 tag'] });
  from.namespace('n').put('k', 'inner', { tags: ['t'] });
  from.namespace('n').namespace('m').put('k', 'innermost');
  from.namespace('nn').put('k', 'other');
  t.equal((await from.dump(file)).entries, 4);
  const to = withCache<unknown>(t);
  to.invalidateTags('t');
  t.match(await to.load(file), { entries: 4 });
  t.equal(to.get('k'), 'root', 'what was invalidated before the load began is another entry');
  t.same(to.entry('k')?.tags, ['t', '\ud800 tag']);
  t.equal(to.namespace('n').get('k'), 'inner');
  t.equal(to.namespace('n').namespace('m').get('k'), 'innermost');
  to.invalidateTags('t');
  t.equal(to.get('k'), undefined);
  t.equal(to.namespace('n').get('k'), 'inner');
  to.namespace('n').invalidateTags('t');
  t.equal(to.namespace('n').get('k'), undefined);
  t.equal(to.namespace('n').namespace('m').get('k'), 'innermost');
  to.namespace('n').clear();
  t.equal(to.namespace('n').namespace('m').get('k'), undefined);
  t.equal(to.namespace('nn').get('k'), 'other');
});

t.test('a namespace is dumped with those inside of it, and loaded wherever it is wanted', async (t) => {
  const file = dumpFile(t);
  const from = withCache<unknown>(t);
  from.put('outside', 0);
  from.namespace('n').put('k', 1);
  from.namespace('n').namespace('m').put('k', 2);
  from.namespace('nn').put('k', 3);
  t.equal((await from.namespace('n').dump(file)).entries, 2);
  const to = withCache<unknown>(t);
  await to.namespace('elsewhere').load(file);
  t.equal(to.namespace('elsewhere').get('k'), 1);
  t.equal(to.namespace('elsewhere').namespace('m').get('k'), 2);
  t.same([...to.keys()], []);
  await to.load(file);
  t.equal(to.get('k'), 1);
  t.equal(to.namespace('m').get('k'), 2);
});

t.test('what the cache holds stays', async (t) => {
  const file = dumpFile(t);
  const from = withCache<string>(t);
  for (let i = 0; i < 100; i++) from.put(`k${i}`, 'of the file');
  await from.dump(file);
  const to = withCache<string>(t, { maxEntries: 60, shards: 1 });
  for (let i = 90; i < 100; i++) to.put(`k${i}`, 'own');
  for (let i = 0; i < 20; i++) to.put(`own${i}`, 'own');
  const report = await to.load(file);
  t.match(report, { entries: 30, present: 10, expired: 0, refused: 60 });
  t.equal(to.getStats().evictions, 0);
  t.equal(to.get('k95'), 'own');
  for (let i = 0; i < 20; i++) t.equal(to.get(`own${i}`), 'own');
  t.match(await to.load(file), { entries: 0, present: 40, refused: 60 }, 'a second time there is nothing to do');
});

t.test('a smaller cache keeps what was used most recently', async (t) => {
  const file = dumpFile(t);
  for (const eviction of POLICIES) {
    for (const shards of [1, 4]) {
      const from = withCache<number>(t, { eviction, shards });
      for (let i = 0; i < 4_000; i++) from.put(`k${i}`, i);
      await from.dump(file);
      const to = withCache<number>(t, { eviction, maxEntries: 1_000, shards });
      const report = await to.load(file);
      t.equal(report.entries + report.refused, 4_000);
      t.ok(report.entries >= 900, `${eviction} with ${shards} shards has ${report.entries}`);
      // Shards get their share of the keys by chance: one that got few reaches further back.
      const oldest = Math.min(...to.values());
      t.ok(oldest >= 2_500, `${eviction} with ${shards} shards keeps ${oldest}`);
      t.equal(to.getStats().evictions, 0);
    }
  }
});

t.test('nothing is evicted for it, also where a full index has no place for a key', async (t) => {
  const file = dumpFile(t);
  const from = withCache<number>(t);
  for (let i = 0; i < 10_000; i++) from.put(`k${i}`, i);
  await from.dump(file);
  // Which keys meet in the index is another matter of chance in each cache.
  for (let round = 0; round < 40; round++) {
    const to = newCache<number>({ maxBytes: '4MB', maxEntries: 5_000, shards: 1, sweep: false });
    const { entries, refused } = await to.load(file);
    if (entries + refused !== 10_000 || to.size !== entries) t.fail(`${entries} loaded, ${to.size} there`);
    if (to.getStats().evictions !== 0) t.fail(`round ${round}: ${to.getStats().evictions} evicted`);
    to.close();
  }
});

t.test('nothing is evicted for it, whatever the sizes of its entries', async (t) => {
  const file = dumpFile(t);
  const from = withCache<string>(t, { maxBytes: '32MB', eviction: 'fifo' });
  // Every size class, and a few that are chains of blocks.
  const sizeOf = (i: number): number => (i % 97 === 0 ? 20_000 : (i * 7_919) % 1_500);
  for (let i = 0; i < 10_000; i++) from.put(`k${i}`, String(i).padEnd(sizeOf(i)));
  await from.dump(file);
  for (const eviction of POLICIES) {
    const to = withCache<string>(t, { eviction, maxBytes: '2MB' });
    for (let i = 0; i < 300; i++) to.put(`own${i}`, 'o'.repeat(i));
    const { entries, refused } = await to.load(file);
    t.equal(entries + refused, 10_000);
    t.equal(to.getStats().evictions, 0, `${eviction} evicts nothing`);
    t.equal(to.size, 300 + entries);
    for (let i = 0; i < 300; i++) if (!to.has(`own${i}`)) t.fail(`${eviction} has lost own${i}`);
    // 1,050 mostly; how the keys are spread over the shards decides.
    t.ok(entries >= 800, `${eviction} has room for ${entries}`);
    const latest = [...to.keys()].filter((key) => key.startsWith('k') && Number(key.slice(1)) >= 10_000 - entries);
    t.ok(latest.length > 0.85 * entries, `${latest.length} of ${entries} that ${eviction} has are the latest`);
  }
});

t.test('hits count as uses', async (t) => {
  const file = dumpFile(t);
  const from = withCache<number>(t, { eviction: 'lru', shards: 1, maxEntries: 60 });
  for (let i = 0; i < 60; i++) from.put(`k${i}`, i);
  for (let i = 0; i < 10; i++) from.get(`k${i}`);
  await from.dump(file);
  const to = withCache<number>(t, { eviction: 'lru', shards: 1, maxEntries: 20 });
  await to.load(file);
  t.same(
    [...to.values()].sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59],
  );
  to.put('new', 100);
  t.equal(to.has('k50'), false, 'the order of the file is the order of eviction');
});

t.test('entries too large for the cache are refused', async (t) => {
  const file = dumpFile(t);
  const from = withCache<Buffer | number>(t, { maxBytes: '64MB' });
  from.put('large', Buffer.alloc(900_000));
  from.put('larger', Buffer.alloc(1_000_000));
  from.put('small', 1);
  await from.dump(file);
  const to = withCache<Buffer | number>(t, { maxBytes: '1MB' });
  t.match(await to.load(file), { entries: 1, refused: 2 });
  t.same([...to.keys()], ['small']);
});

t.test('objects of a codec need the codec', async (t) => {
  const file = dumpFile(t);
  const codec = {
    encode: (value: unknown) => Buffer.from(JSON.stringify(value)),
    decode: (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString()),
  };
  const from = withCache<unknown>(t, { codec });
  from.put('o', { a: new Date(0) });
  await from.dump(file);
  const to = withCache<unknown>(t, { codec });
  await to.load(file);
  t.same(to.get('o'), { a: '1970-01-01T00:00:00.000Z' });
  const without = withCache<unknown>(t);
  await t.rejects(without.load(file), { code: 'ERR_INVALID_OPTION' });
  t.equal(without.size, 0);
});

t.test('the file is private and appears whole or not at all', async (t) => {
  const file = dumpFile(t);
  const cache = withCache<unknown>(t);
  for (let i = 0; i < 20_000; i++) cache.put(`k${i}`, { i });
  writeFileSync(file, 'the old file');
  const reason = new Error('enough');
  await t.rejects(cache.dump(file, { signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  const aborted = cache.dump(file, { signal: controller.signal });
  setImmediate(() => controller.abort(reason));
  await t.rejects(aborted, reason);
  t.equal(readFileSync(file, 'utf8'), 'the old file');
  t.same(restBeside(file), []);
  const thrown = new Error('from onProgress');
  const onProgress = (): never => {
    throw thrown;
  };
  await t.rejects(cache.dump(`${dirname(file)}/other`, { onProgress }), thrown);
  const small = withCache<number>(t);
  await t.rejects(small.dump(file, { onProgress }), thrown);
  const last = new AbortController();
  await t.rejects(small.dump(file, { signal: last.signal, onProgress: () => last.abort(reason) }), reason);
  t.equal(readFileSync(file, 'utf8'), 'the old file', 'also when the end of the work is told of for the last time');
  t.same(restBeside(file), []);
  await cache.dump(pathToFileURL(file));
  t.equal(statSync(file).mode & 0o777, 0o600);
  await t.rejects(cache.load(file, { signal: AbortSignal.abort(reason) }), reason);
});

t.test('what cannot be written says why, and leaves nothing', async (t) => {
  const file = dumpFile(t);
  const cache = withCache<number>(t);
  await t.rejects(cache.dump(`${file}/missing/file`), { code: 'ERR_WRITE_FAILED', cause: { code: 'ENOENT' } });
  mkdirSync(file);
  await t.rejects(cache.dump(file), { code: 'ERR_WRITE_FAILED', cause: { code: 'EISDIR' } });
  t.same(restBeside(file), []);
  if (spawnSync('mkfifo', [`${dirname(file)}/pipe`]).status === 0) {
    await t.rejects(cache.dump(`${dirname(file)}/pipe`), { code: 'ERR_WRITE_FAILED' });
    t.ok(statSync(`${dirname(file)}/pipe`).isFIFO(), 'no file takes the place of what is none');
  }
  const urls = ['file:///a%2Fb', 'file:///a%00b'].map((url) => new URL(url));
  for (const bad of ['', undefined, null, 5, {}, 'a\0b', ...urls]) {
    await t.rejects(cache.dump(bad as string), { code: 'ERR_INVALID_ARGUMENT' });
    await t.rejects(cache.load(bad as string), { code: 'ERR_INVALID_ARGUMENT' });
  }
  await t.rejects(cache.dump(file, { onProgres: 1 } as object), { code: 'ERR_INVALID_OPTION' });
  await t.rejects(cache.dump(file, null as unknown as object), { code: 'ERR_INVALID_OPTION' });
  await t.rejects(cache.dump(file, { onProgress: 1 } as object), { code: 'ERR_INVALID_ARGUMENT' });
  await t.rejects(cache.load(file, { signal: {} } as object), { code: 'ERR_INVALID_ARGUMENT' });
});

t.test('what is no dump is refused before anything is stored', async (t) => {
  const file = dumpFile(t);
  const cache = withCache<number>(t);
  await t.rejects(cache.load(file), { code: 'ERR_INVALID_FILE', cause: { code: 'ENOENT' } });
  await t.rejects(cache.load(dirname(file)), { code: 'ERR_INVALID_FILE' });
  for (const content of [
    '',
    'MOON',
    'x'.repeat(1000),
    `MOONDUMP${'\0'.repeat(100)}`,
    `MOONDUMP${'\xff'.repeat(100)}`,
  ]) {
    writeFileSync(file, content, 'latin1');
    await t.rejects(cache.load(file), { code: 'ERR_INVALID_FILE' });
  }
  cache.put('a', 1);
  await cache.dump(file);
  const dump = readFileSync(file);
  dump[8] = 2;
  writeFileSync(file, dump);
  await t.rejects(cache.load(file), { code: 'ERR_INVALID_FILE', message: /version 2/ });
  if (existsSync('/dev/zero')) await t.rejects(cache.load('/dev/zero'), { code: 'ERR_INVALID_FILE' });
  symlinkSync(file, `${dirname(file)}/loop`);
  await t.rejects(cache.load(`${dirname(file)}/loop`), { code: 'ERR_INVALID_FILE' });
  t.equal(cache.size, 1);
});

t.test('an empty cache has an empty dump', async (t) => {
  const file = dumpFile(t);
  const cache = withCache<number>(t);
  t.match(await cache.dump(file), { entries: 0 });
  const { durationMs: _, ...counts } = await cache.load(file);
  t.same(counts, { entries: 0, present: 0, expired: 0, refused: 0 });
});

t.test('a cache closed meanwhile ends the dump and the load', async (t) => {
  const file = dumpFile(t);
  const options: SharedCacheOptions = { maxBytes: '16MB' };
  const cache = newCache<object>(options);
  for (let i = 0; i < 50_000; i++) cache.put(`k${i}`, { i });
  await cache.dump(file);
  const other = newCache<object>(options);
  const loading = other.load(file);
  setImmediate(() => other.close());
  await t.rejects(loading, { code: 'ERR_CLOSED' });
  const dumping = cache.dump(`${dirname(file)}/second`);
  setImmediate(() => cache.close());
  await t.rejects(dumping, { code: 'ERR_CLOSED' });
  t.same(restBeside(file), []);
  await t.rejects(cache.dump(file), { code: 'ERR_CLOSED' });
  await t.rejects(cache.load(file), { code: 'ERR_CLOSED' });
});

t.test('progress is told, and an invalidation during a load is not undone by it', async (t) => {
  const file = dumpFile(t);
  const from = withCache<number>(t, { maxBytes: '32MB' });
  for (let i = 0; i < 50_000; i++) from.put(`k${i}`, i, { tags: ['t'] });
  const told: number[] = [];
  const dumped = await from.dump(file, { onProgress: ({ entries, bytes }) => told.push(entries, bytes) });
  t.same(told.slice(-2), [50_000, dumped.bytes]);
  const to = withCache<number>(t, { maxBytes: '32MB' });
  const loading = to.load(file);
  setImmediate(() => to.invalidateTags('t'));
  t.match(await loading, { entries: 50_000 });
  t.equal([...to.keys()].length, 0);
  const cleared = withCache<number>(t, { maxBytes: '32MB' });
  const second = cleared.load(file);
  setImmediate(() => cleared.clear());
  const { entries, refused } = await second;
  t.equal(entries + refused, 50_000);
  t.equal(cleared.size, 0);
});

t.test('keys that are there throughout are in the file exactly once, while others write', async (t) => {
  const file = dumpFile(t);
  const cache = withCache<string>(t, { maxBytes: '32MB', sweep: false });
  for (let i = 0; i < 20_000; i++) cache.put(`stays${i}`, `stays${i}:0`);
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('../fixtures/busy-writer.js', import.meta.url), {
    workerData: { handle: cache.handle, stop, keys: 20_000 },
    execArgv: [],
  });
  await new Promise((resolve) => worker.once('message', resolve));
  for (let round = 0; round < 5; round++) {
    const dumped = await cache.dump(file);
    const to = withCache<string>(t, { maxBytes: '64MB' });
    const report = await to.load(file);
    t.equal(report.damaged, undefined);
    t.equal(report.entries + report.present, dumped.entries);
    let whole = 0;
    for (let i = 0; i < 20_000; i++) if (to.get(`stays${i}`)?.startsWith(`stays${i}:`)) whole++;
    t.equal(whole, 20_000);
    t.equal(to.getStats().totalObjects, report.entries);
  }
  Atomics.store(stop, 0, 1);
  await new Promise((resolve) => worker.once('exit', resolve));
});

t.test('the memory of a dump and of a load does not grow with the cache', async (t) => {
  const file = dumpFile(t);
  const from = withCache<Buffer>(t, { maxBytes: '64MB', sweep: false });
  for (let i = 0; i < 10_000; i++) from.put(`k${i}`, Buffer.alloc(5_000, i));
  const to = withCache<Buffer>(t, { maxBytes: '64MB', sweep: false });
  let running = true;
  let most = 0;
  const base = process.memoryUsage().arrayBuffers;
  const sample = (): void => {
    most = Math.max(most, process.memoryUsage().arrayBuffers - base);
    if (running) setImmediate(sample);
  };
  sample();
  await from.dump(file);
  await to.load(file);
  running = false;
  t.ok(to.size > 9_000);
  t.ok(most < 16 * 2 ** 20, `${most} bytes of buffers`);
});
