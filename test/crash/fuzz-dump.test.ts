/** A damaged dump: whatever the damage, load stores right values or none, ends soon, and allocates what the file has. */

import { readFileSync, writeFileSync } from 'node:fs';
import { crc32, gunzipSync, gzipSync } from 'node:zlib';
import { SharedCache, SharedCacheError } from 'mooncake-cache';
import t from 'tap';
import { effort } from '../fixtures/effort.js';
import { wholeNumbers } from '../fixtures/random.js';
import { dumpFile } from '../fixtures/snapshots.js';

const MUTATIONS = effort('MUTATIONS', 200, 15_000);
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
console.log(`# SEED=${seed}, ${MUTATIONS} mutations`);

const random = wholeNumbers(seed);

const ENTRIES = 40;
const valueAt = (i: number): unknown =>
  [`text ${i}`, i * 1.5, { i, list: [i, String(i)] }, Buffer.alloc(i, i), 'x'.repeat(i === 39 ? 40_000 : i)][i % 5];

async function validDump(file: string): Promise<Buffer> {
  using cache = new SharedCache<unknown>({ maxBytes: '4MB', sweep: false });
  for (let i = 0; i < ENTRIES; i++) cache.put(`k${i}`, valueAt(i), i % 3 === 0 ? { tags: ['a', `t${i}`] } : {});
  for (let i = 0; i < ENTRIES; i++) cache.namespace('n').put(`k${i}`, valueAt(i));
  await cache.dump(file);
  return readFileSync(file);
}

/** A byte of the file, often one of its header or its first heads. */
const place = (bytes: Buffer): number => random(random(3) === 0 ? 120 : bytes.length);

function mutate(original: Buffer): Buffer {
  const bytes = Buffer.from(original);
  switch (random(6)) {
    case 0:
      return bytes.subarray(0, random(bytes.length));
    case 1:
      return Buffer.concat([bytes, Buffer.alloc(1 + random(100), random(256))]);
    case 2:
      bytes.copyWithin(random(bytes.length), random(bytes.length), random(bytes.length));
      return bytes;
    case 3:
      bytes.writeUInt32LE([0, 0xffffffff, 0x7fffffff, random(2 ** 31)][random(4)], random(bytes.length - 4));
      return bytes;
    default:
      for (let i = 0; i <= random(4); i++) bytes[place(bytes)] ^= 1 << random(8);
      return bytes;
  }
}

t.test('of a damaged file, what is loaded is right, and the damage is told', async (t) => {
  const file = dumpFile(t);
  const original = await validDump(file);
  using cache = new SharedCache<unknown>({ maxBytes: '4MB', sweep: false });
  let refused = 0;
  for (let round = 0; round < MUTATIONS; round++) {
    const bytes = mutate(original);
    writeFileSync(file, bytes);
    cache.clear();
    try {
      const { damaged, entries } = await cache.load(file);
      if (damaged === undefined && !bytes.equals(original)) t.fail(`round ${round}: the damage was not seen`);
      const found = check(cache);
      if (found !== entries) t.fail(`round ${round}: ${entries} were loaded, ${found} found`);
    } catch (error) {
      if (!(error instanceof SharedCacheError && error.code === 'ERR_INVALID_FILE')) throw error;
      if (cache.size !== 0) t.fail(`round ${round}: stored before it was refused`);
      refused++;
    }
  }
  t.ok(refused > 0 && refused < MUTATIONS);
  t.same(cache.inspect().problems, []);
});

t.test('of a damaged compressed file too', async (t) => {
  const plain = dumpFile(t);
  const file = `${plain}.gz`;
  const content = await validDump(plain);
  const original = gzipSync(content);
  using cache = new SharedCache<unknown>({ maxBytes: '4MB', sweep: false });
  let refused = 0;
  let partial = 0;
  const rounds = Math.ceil(MUTATIONS / 3);
  for (let round = 0; round < rounds; round++) {
    // Damage of what the compression holds, too, which it does not see.
    const isInside = round % 2 === 0;
    const bytes = isInside ? gzipSync(mutate(content)) : mutate(original);
    writeFileSync(file, bytes);
    cache.clear();
    try {
      const { damaged, entries } = await cache.load(file);
      const isAll = isInside ? gunzipSync(bytes).equals(content) : entries === 2 * ENTRIES;
      if (damaged === undefined && !isAll) t.fail(`round ${round}: the damage was not seen`);
      if (check(cache) !== entries) t.fail(`round ${round}: ${entries} were loaded, and others found`);
      if (entries > 0 && entries < 2 * ENTRIES) partial++;
    } catch (error) {
      if (!(error instanceof SharedCacheError && error.code === 'ERR_INVALID_FILE')) throw error;
      if (cache.size !== 0) t.fail(`round ${round}: stored before it was refused`);
      refused++;
    }
  }
  t.ok(refused > 0 && partial > 0 && refused + partial < rounds, `${refused} refused, ${partial} loaded in part`);
  t.same(cache.inspect().problems, []);
});

/** How many entries there are, all of them right: one that is not throws. */
function check(cache: SharedCache<unknown>): number {
  let found = 0;
  for (const keys of [cache, cache.namespace('n')]) {
    for (const [key, value] of keys.entries()) {
      const i = Number(key.slice(1));
      if (JSON.stringify(value) !== JSON.stringify(valueAt(i))) throw new Error(`${key} has a wrong value`);
      found++;
    }
  }
  return found;
}

t.test('what is whole before a cut is loaded', async (t) => {
  const file = dumpFile(t);
  const original = await validDump(file);
  using cache = new SharedCache<unknown>({ maxBytes: '4MB', sweep: false });
  writeFileSync(file, original.subarray(0, original.length - 10));
  const { entries, damaged } = await cache.load(file);
  t.equal(entries, 2 * ENTRIES, 'only the closing block is missing');
  t.match(damaged, /cut short/);
  cache.clear();
  writeFileSync(file, original.subarray(0, original.length >> 1));
  const half = await cache.load(file);
  t.ok(half.entries > 0 && half.entries < 2 * ENTRIES);
  t.equal(check(cache), half.entries);
  t.match(half.damaged, /cut short/);
});

/** Damage with checksums that hold, as somebody would write it on purpose. */
t.test('lengths that lie are not believed, even with right checksums', async (t) => {
  const file = dumpFile(t);
  const original = await validDump(file);
  using cache = new SharedCache<unknown>({ maxBytes: '4MB', sweep: false });
  const header = 16 + original.readUInt32LE(12) + 4;
  const rounds = Math.ceil(MUTATIONS / 5);
  for (let round = 0; round < rounds; round++) {
    const bytes = Buffer.from(original);
    const payload = header + 24;
    const payloadBytes = bytes.readUInt32LE(header + 12);
    for (let i = 0; i <= random(3); i++) bytes[payload + random(Math.min(payloadBytes, 120))] = random(256);
    bytes.writeUInt32LE(crc32(bytes.subarray(payload, payload + payloadBytes)), header + 16);
    if (round % 4 === 0) bytes.writeUInt32LE(random(2 ** 32), header + 4 + 4 * random(3));
    bytes.writeUInt32LE(crc32(bytes.subarray(header, header + 20)), header + 20);
    writeFileSync(file, bytes);
    cache.clear();
    const before = process.memoryUsage().arrayBuffers;
    await cache.load(file);
    const allocated = process.memoryUsage().arrayBuffers - before;
    if (allocated > 32 * 2 ** 20) t.fail(`round ${round}: ${allocated} bytes were allocated`);
    for (const key of cache.keys()) cache.has(key);
  }
  t.same(cache.inspect().problems, []);
});

t.test('control: without checksums wrong values would be loaded, and seen', async (t) => {
  const file = dumpFile(t);
  const original = await validDump(file);
  const header = 16 + original.readUInt32LE(12) + 4;
  const payload = header + 24;
  const payloadBytes = original.readUInt32LE(header + 12);
  using cache = new SharedCache<unknown>({ maxBytes: '4MB', sweep: false });
  for (let round = 0; round < 1_000; round++) {
    const bytes = Buffer.from(original);
    bytes[payload + random(payloadBytes)] ^= 1;
    bytes.writeUInt32LE(crc32(bytes.subarray(payload, payload + payloadBytes)), header + 16);
    bytes.writeUInt32LE(crc32(bytes.subarray(header, header + 20)), header + 20);
    writeFileSync(file, bytes);
    cache.clear();
    await cache.load(file);
    try {
      check(cache);
    } catch {
      t.pass(`seen in round ${round}`);
      return;
    }
  }
  t.fail('never seen');
});
