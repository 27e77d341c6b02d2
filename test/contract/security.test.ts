/** What docs/security.md promises of keys and values: chosen keys, names with a meaning, forged bytes. */
import t from 'tap';
import { KeyEncoder } from '../../src/codec/key.js';
import { decodeCopied, ValueEncoder } from '../../src/codec/value.js';
import { SharedCache } from '../../src/index.js';
import { Arena } from '../../src/memory/arena.js';
import { CONTROL, SLOT_SHIFT } from '../../src/memory/layout.js';
import { findSlot, NO_SLOT } from '../../src/table/buckets.js';
import { Table } from '../../src/table/table.js';
import { copyOf } from '../fixtures/copied-cache.js';
import { withCache } from '../fixtures/with-cache.js';

const MEANINGFUL = [
  '__proto__',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'toString',
  'valueOf',
  '__defineGetter__',
];

/** Buckets that the search for each key goes past, at most; and how many keys are there. */
function probes(cache: SharedCache, keys: readonly string[]): { present: number; longest: number } {
  const table = Table.of(Arena.attach(cache.handle.buffers));
  const { key: encoder } = table;
  let present = 0;
  let longest = 0;
  for (const key of keys) {
    encoder.encode(key);
    const shard = table.shardOf(encoder.hash);
    const slot = findSlot(shard, encoder);
    if (slot === NO_SLOT) continue;
    const passed = (slot >> SLOT_SHIFT) - shard.homeBucket(encoder.hash);
    present++;
    longest = Math.max(longest, passed < 0 ? passed + shard.bucketCount : passed);
  }
  table.release();
  return { present, longest };
}

t.test('hash flooding', (t) => {
  const cache = withCache(t, { sweep: false });
  // The same cache as one whose key the attacker knows: zeros.
  const known = SharedCache.attach(
    copyOf(cache.handle, (m) => {
      m[CONTROL.hashKey0] = 0;
      m[CONTROL.hashKey1] = 0;
    }),
  );
  t.teardown(() => known.close());
  const encoder = new KeyEncoder(0, 0);
  const chosen: string[] = [];
  // All in one shard, and there in one of 256 parts: a few buckets next to each other.
  for (let i = 0; chosen.length < 1_000; i++) {
    encoder.encode(`user:${i}`);
    if (encoder.hash >>> 22 === 0) chosen.push(`user:${i}`);
  }
  for (const key of chosen) {
    known.put(key, 1);
    cache.put(key, 1);
  }
  const flooded = probes(known, chosen);
  const spread = probes(cache, chosen);
  t.comment(
    `known key: ${flooded.present} of 1,000 stay, ${flooded.longest} buckets passed; unknown: ${spread.longest}`,
  );
  t.ok(flooded.present < 500, 'where the hash key is known, chosen keys push each other out');
  t.ok(flooded.longest <= 15, 'even then no search looks at more than 16 buckets');
  t.equal(spread.present, 1_000, 'where it is not, all of them stay');
  t.ok(spread.longest <= 3, `a search passes ${spread.longest} buckets at most`);

  // 4,096 keys with one and the same String.hashCode() of Java, which many unkeyed hashes are made like.
  const sameHash = Array.from({ length: 4096 }, (_, i) =>
    Array.from({ length: 12 }, (_, bit) => ((i >> bit) & 1 ? 'Aa' : 'BB')).join(''),
  );
  cache.clear();
  for (const key of sameHash) cache.put(key, 1);
  const java = probes(cache, sameHash);
  t.equal(java.present, 4096);
  t.ok(java.longest <= 3, `a search passes ${java.longest} buckets at most`);
  t.end();
});

t.test('two caches share no hash key', (t) => {
  const hashKeys = Array.from({ length: 8 }, () => {
    const { control } = withCache(t, { maxBytes: '1MB', sweep: false }).handle.buffers;
    return new Int32Array(control).slice(CONTROL.hashKey0, CONTROL.hashKey1 + 1).join();
  });
  t.equal(new Set(hashKeys).size, 8);
  t.end();
});

t.test('keys with a meaning in JavaScript are keys like any other', async (t) => {
  const cache = withCache<unknown>(t, { sweep: false });
  for (const key of MEANINGFUL) {
    t.equal(cache.get(key), undefined, key);
    t.equal(cache.has(key), false, key);
    cache.put(key, `value of ${key}`);
    // Several times, so that it is handed out from what this thread keeps near as well.
    for (let i = 0; i < 4; i++) t.equal(cache.get(key), `value of ${key}`);
  }
  t.strictSame([...cache.keys()].sort(), [...MEANINGFUL].sort());
  t.strictSame(
    cache.getMany(MEANINGFUL),
    MEANINGFUL.map((key) => `value of ${key}`),
  );
  for (const key of MEANINGFUL) {
    cache.delete(key);
    t.equal(
      cache.getOrSetSync(key, () => 1),
      1,
    );
    t.equal(cache.increment(key), 2);
    cache.delete(key);
    t.equal(await cache.getOrSet(key, async () => 'loaded'), 'loaded');
  }
  t.end();
});

t.test('objects with such properties come back as they were and change no prototype', (t) => {
  const cache = withCache<unknown>(t, { sweep: false });
  const hostile = JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}');
  const values: unknown[] = [
    hostile,
    { nested: [hostile] },
    new Map([['__proto__', hostile]]),
    Object.fromEntries(MEANINGFUL.slice(1).map((name) => [name, name])),
    Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`${MEANINGFUL[1 + (i % 6)]}${i || ''}`, i])),
  ];
  for (const [i, value] of values.entries()) {
    cache.put('value', value);
    t.strictSame(describeOwn(cache.get('value')), describeOwn(value), `value ${i}`);
  }
  t.equal(({} as { polluted?: boolean }).polluted, undefined);
  t.strictSame(Object.keys(Object.prototype), []);
  t.end();
});

t.test('bytes with such names that no encoder wrote are refused, or make own properties', (t) => {
  const encoder = new ValueEncoder();
  const dictionary = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`name ${i}`, i]));
  for (const value of [{ __proto_X: { polluted: true } }, { ...dictionary, __proto_X: { polluted: true } }]) {
    encoder.encode(value);
    const forged = Buffer.from(encoder.bytes.subarray(encoder.offset, encoder.offset + encoder.lengthBytes));
    forged.write('__proto__', forged.indexOf('__proto_X'), 'latin1');
    const decode = (): object => decodeCopied(encoder.kind, forged, forged.length, undefined) as object;
    if (Object.keys(value).length === 1) t.throws(decode, { code: 'ERR_CORRUPTED' });
    else t.equal(Object.getPrototypeOf(decode()), Object.prototype);
  }
  t.end();
});

/** Own properties all the way down, with whether the prototype is the usual one: what assignment to `__proto__` changes. */
function describeOwn(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Map) return [...value].map(describeOwn);
  const prototype = Object.getPrototypeOf(value);
  return [
    prototype === Object.prototype || prototype === Array.prototype,
    Object.getOwnPropertyNames(value).map((name) => [
      name,
      describeOwn(Object.getOwnPropertyDescriptor(value, name)?.value),
    ]),
  ];
}
