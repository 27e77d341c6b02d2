/** Dumps whose names say that they are compressed. */
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import * as zlib from 'node:zlib';
import t from 'tap';
import type { LoadReport, SharedCache } from '../../src/index.js';
import { CLOSING_BYTES, encodeClosing, sealBlock } from '../../src/snapshot/format.js';
import { ONLY_LONG } from '../fixtures/effort.js';
import { dumpFile } from '../fixtures/snapshots.js';
import { withCache } from '../fixtures/with-cache.js';

const { gunzipSync, gzipSync } = zlib;
const hasZstd = 'createZstdCompress' in zlib;
const NAMES = hasZstd ? ['.gz', '.zst'] : ['.gz'];
const MB = 2 ** 20;

/** The most that `work` has in buffers beyond what there was before. */
async function mostBuffers(work: () => Promise<unknown>): Promise<number> {
  const base = process.memoryUsage().arrayBuffers;
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage().arrayBuffers - base);
  }, 10);
  await work();
  clearInterval(timer);
  return most;
}

/** Loads it in a thread whose heap has no room for a list of all blocks; `most` is the most that it has in buffers. */
async function loadedWithLittleMemory(
  { handle }: SharedCache,
  file: string,
): Promise<{ report: LoadReport; most: number }> {
  const script = `const { workerData: { library, handle, file }, parentPort } = require('node:worker_threads');
    import(library).then(async ({ SharedCache }) => {
      const cache = SharedCache.attach(handle);
      let most = 0;
      const timer = setInterval(() => {
        most = Math.max(most, process.memoryUsage().arrayBuffers);
      }, 10);
      const report = await cache.load(file);
      clearInterval(timer);
      cache.close();
      parentPort.postMessage({ report, most });
    });`;
  const library = import.meta.resolve('mooncake-cache');
  const resourceLimits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 16 };
  const workerData = { library, handle, file };
  const worker = new Worker(script, { eval: true, workerData, execArgv: [], resourceLimits });
  const exit = once(worker, 'exit');
  const [message] = await once(worker, 'message');
  await exit;
  return message;
}

/** A block with so many entries in this payload. */
function block(payload: Buffer, entries: number): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(24), payload]);
  sealBlock(bytes, 0, entries);
  return bytes;
}

for (const name of NAMES) {
  t.test(`${name}: what was dumped comes back`, async (t) => {
    const file = dumpFile(t) + name;
    const from = withCache<unknown>(t, { maxBytes: '16MB' });
    for (let i = 0; i < 2_000; i++) from.put(`k${i}`, { i, text: 'x'.repeat(i % 100) });
    from.put('large', 'y'.repeat(200_000), { tags: ['t'] });
    from.namespace('n').put('k', new Map([['a', 1]]), { ttl: 60_000 });
    const dumped = await from.dump(file);
    t.equal(dumped.entries, 2_002);
    t.equal(dumped.bytes, statSync(file).size);
    t.ok(dumped.bytes < 100_000, 'it is compressed');
    t.equal(statSync(file).mode & 0o777, 0o600);
    const to = withCache<unknown>(t, { maxBytes: '16MB' });
    const { durationMs: _, ...counts } = await to.load(file);
    t.strictSame(counts, { entries: 2_002, present: 0, expired: 0, refused: 0 });
    for (let i = 0; i < 2_000; i += 100) t.strictSame(to.get(`k${i}`), { i, text: 'x'.repeat(i % 100) });
    t.equal(to.get('large'), 'y'.repeat(200_000));
    t.strictSame(to.namespace('n').get('k'), new Map([['a', 1]]));
    t.ok((to.namespace('n').expiresIn('k') ?? Number.NaN) <= 60_000);
    to.invalidateTags('t');
    t.equal(to.get('large'), undefined);
    t.match(await to.load(file), { entries: 1, present: 2_001 });
  });

  t.test(`${name}: of a cache with too little room the most recent comes back, roughly in order`, async (t) => {
    const file = dumpFile(t) + name;
    // More than fits into one open block for each generation, so the blocks of the file are in no order.
    const from = withCache<string>(t, { maxBytes: '64MB', eviction: 'fifo' });
    for (let i = 0; i < 20_000; i++) from.put(`k${i}`, String(i).padEnd(1_000));
    await from.dump(file);
    const small = withCache<string>(t, { maxBytes: '64MB', maxEntries: 5_000, shards: 1 });
    const { entries, refused } = await small.load(file);
    t.equal(entries + refused, 20_000);
    t.ok(entries >= 4_500, `${entries} have room`);
    t.ok(Math.min(...Array.from(small.values(), Number)) >= 14_000, 'the latest ones');
    t.equal(small.getStats().evictions, 0);

    // An index with some slack: in a full one a bucket of 20,000 keys may have no place left.
    const queue = withCache<string>(t, { maxBytes: '64MB', maxEntries: 25_000, eviction: 'fifo', shards: 1 });
    t.match(await queue.load(file), { entries: 20_000, refused: 0 });
    for (let i = 0; i < 15_000; i++) queue.put(`new${i}`, '');
    const left = [...queue.keys()].filter((key) => key.startsWith('k'));
    const latest = left.filter((key) => Number(key.slice(1)) >= 10_000);
    t.ok(latest.length > 0.95 * left.length, `${latest.length} of ${left.length} that are left are of the later half`);
  });

  t.test(`${name}: memory does not grow with the cache`, ONLY_LONG, async (t) => {
    const file = dumpFile(t) + name;
    const from = withCache<Buffer>(t, { maxBytes: '128MB', sweep: false });
    const value = Buffer.alloc(5_000);
    for (let i = 0; i < 20_000; i++) from.put(`k${i}`, value.fill(`${i}`));
    const to = withCache<Buffer>(t, { maxBytes: '128MB', sweep: false });
    const most = await mostBuffers(async () => {
      await from.dump(file);
      await to.load(file);
    });
    t.ok(to.size > 15_000);
    t.ok(most < 50 * MB, `${most} bytes of buffers, of which most is garbage`);
  });

  t.test(`${name}: what is cut short loads what is before the cut`, async (t) => {
    const file = dumpFile(t) + name;
    const from = withCache<string>(t, { maxBytes: '16MB' });
    let text = 'seed';
    for (let i = 0; i < 20_000; i++) {
      text = `${text.length}${text.slice(-40)}${i * 7919}`.slice(-60);
      from.put(`k${i}`, text);
    }
    await from.dump(file);
    const whole = readFileSync(file);
    const to = withCache<string>(t, { maxBytes: '16MB' });
    let before = 0;
    for (const share of [0.2, 0.4, 0.6, 0.8, 0.99]) {
      writeFileSync(file, whole.subarray(0, Math.floor(share * whole.length)));
      to.clear();
      const { entries, damaged } = await to.load(file);
      t.ok(entries > before && entries < 20_000, `${entries} of the first ${100 * share} %`);
      t.match(damaged, /cut short|compression is damaged/);
      for (const [key, value] of to.entries()) if (from.get(key) !== value) t.fail(`${key} is wrong`);
      before = entries;
    }
    t.ok(before > 15_000);
    writeFileSync(file, whole.subarray(0, 5));
    await t.rejects(to.load(file), { code: 'ERR_INVALID_FILE' });
  });

  t.test(`${name}: an abort ends both, and leaves no rest`, async (t) => {
    const file = dumpFile(t) + name;
    const cache = withCache<string>(t, { maxBytes: '64MB' });
    for (let i = 0; i < 30_000; i++) cache.put(`k${i}`, `${i}`.repeat(100));
    const reason = new Error('enough');
    const controller = new AbortController();
    const dumping = cache.dump(file, { signal: controller.signal });
    setImmediate(() => controller.abort(reason));
    await t.rejects(dumping, reason);
    t.strictSame(readdirSync(dirname(file)), []);
    await cache.dump(file);
    const other = new AbortController();
    const to = withCache<string>(t, { maxBytes: '64MB' });
    const loading = to.load(file, { signal: other.signal });
    setImmediate(() => other.abort(reason));
    await t.rejects(loading, reason);
    t.ok(to.size < 30_000);
    const told: number[] = [];
    const { bytes } = await cache.dump(file, { onProgress: (progress) => told.push(progress.entries, progress.bytes) });
    t.strictSame(told.slice(-2), [30_000, bytes]);
  });
}

t.test('gzip and gunzip make the one from the other', async (t) => {
  const file = dumpFile(t);
  const from = withCache<number>(t);
  for (let i = 0; i < 100; i++) from.put(`k${i}`, i);
  await from.dump(file);
  writeFileSync(`${file}.GZ`, gzipSync(readFileSync(file)));
  t.match(await withCache<number>(t).load(`${file}.GZ`), { entries: 100 });
  await from.dump(`${file}.gz`);
  writeFileSync(file, gunzipSync(readFileSync(`${file}.gz`)));
  t.match(await withCache<number>(t).load(file), { entries: 100 });
});

t.test('what is not what its name says is refused before anything is stored', async (t) => {
  const file = dumpFile(t);
  const cache = withCache<number>(t);
  cache.put('k', 1);
  await cache.dump(file);
  cache.clear();
  for (const name of NAMES) {
    writeFileSync(file + name, readFileSync(file));
    await t.rejects(cache.load(file + name), { code: 'ERR_INVALID_FILE', message: /compression/ });
    writeFileSync(file + name, '');
    await t.rejects(cache.load(file + name), { code: 'ERR_INVALID_FILE' });
    await t.rejects(cache.load(`${file}.missing${name}`), { code: 'ERR_INVALID_FILE', cause: { code: 'ENOENT' } });
  }
  writeFileSync(file, gzipSync(readFileSync(file)));
  await t.rejects(cache.load(file), { code: 'ERR_INVALID_FILE', message: /no dump/ });
  writeFileSync(`${file}.gz`, gzipSync('no dump'));
  await t.rejects(cache.load(`${file}.gz`), { code: 'ERR_INVALID_FILE', message: /no dump/ });
  t.equal(cache.size, 0);
});

t.test('where Node has no zstd, a .zst is refused', { skip: hasZstd && 'this one has it' }, async (t) => {
  const file = `${dumpFile(t)}.zst`;
  const cache = withCache<number>(t);
  await t.rejects(cache.dump(file), { code: 'ERR_UNSUPPORTED_PLATFORM', message: /22\.15/ });
  await t.rejects(cache.load(file), { code: 'ERR_UNSUPPORTED_PLATFORM' });
  t.equal(existsSync(file), false);
});

t.test('a small file that holds a huge one', ONLY_LONG, async (t) => {
  const file = `${dumpFile(t)}.gz`;
  const cache = withCache<Buffer | number>(t, { sweep: false });
  cache.put('k', 1);
  await cache.dump(file);
  const dump = gunzipSync(readFileSync(file));
  const header = dump.subarray(0, 20 + dump.readUInt32LE(12));
  const one = dump.subarray(header.length, -CLOSING_BYTES);
  const zeros = Buffer.alloc(MB);
  const large = block(Buffer.alloc(0), 1);
  large.writeUInt32LE(256 * MB, 12);
  large.writeUInt32LE(zlib.crc32(large.subarray(0, 20)), 20);
  for (const [what, beginning, repeated, times, entries] of [
    ['blocks of one entry', header, Buffer.alloc(MB - (MB % one.length), one), 4, 4 * Math.floor(MB / one.length)],
    ['blocks of nothing', header, Buffer.alloc(24 * 40_000, block(Buffer.alloc(0), 0)), 30, 0],
    ['one entry that this cache cannot hold', Buffer.concat([header, large]), zeros, 256, 1],
  ] as const) {
    // A gzip file may have many members; together they are what each holds, one after the other.
    const member = gzipSync(repeated);
    writeFileSync(file, Buffer.concat([gzipSync(beginning), ...Array.from({ length: times }, () => member)]));
    t.ok(statSync(file).size < 2 * MB);
    const { report, most } = await loadedWithLittleMemory(cache, file);
    t.equal(report.present + report.refused, entries, what);
    t.match(report.damaged, /cut short/);
    t.ok(most < 128 * MB, `${what}: ${most} bytes of buffers, of which most is garbage`);
  }
  // The head alone says that four thousand million bytes follow.
  large.writeUInt32LE(2 ** 32 - 1, 12);
  large.writeUInt32LE(zlib.crc32(large.subarray(0, 20)), 20);
  const closing = encodeClosing({ blocks: 1, entries: 1, bytes: header.length + 24 });
  writeFileSync(file, gzipSync(Buffer.concat([header, large, zeros, closing])));
  t.match(await cache.load(file), { entries: 0, damaged: /cut short in a block/ });
});

t.test('a file that changes while it is read is told', async (t) => {
  const file = `${dumpFile(t)}.gz`;
  const from = withCache<Buffer>(t, { maxBytes: '64MB' });
  // Nothing that can be compressed: the decompression is not at the end when the first block is stored.
  let state = 1;
  const noise = (): Buffer => {
    const bytes = Buffer.alloc(2_000);
    for (let i = 0; i < bytes.length; i++) {
      state = (state * 48_271) % 2_147_483_647;
      bytes[i] = state & 255;
    }
    return bytes;
  };
  for (let i = 0; i < 5_000; i++) from.put(`k${i}`, noise());
  await from.dump(file);
  let looks = 0;
  const to = withCache<Buffer>(t, {
    maxBytes: '64MB',
    now: () => {
      // The first look is that of the load, the others are those of the blocks it stores.
      if (++looks === 20) truncateSync(file, 1_000_000);
      return Date.now();
    },
  });
  looks = 0;
  const { entries, damaged } = await to.load(file);
  t.ok(looks > 20 && entries < 5_000, `${entries} entries`);
  t.match(damaged, /changed/);
});
