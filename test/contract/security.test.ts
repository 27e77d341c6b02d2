/** What docs/security.md promises: chosen keys, names with a meaning, handles and memory that somebody tampered with. */
import t from 'tap';
import { Attachment } from '../../src/attachment.js';
import { KeyEncoder } from '../../src/codec/key.js';
import { decodeCopied, ValueEncoder } from '../../src/codec/value.js';
import { SharedCache, SharedCacheError, type SharedCacheHandle, SharedMonitor } from '../../src/index.js';
import { Arena } from '../../src/memory/arena.js';
import { CONTROL, SLOT_SHIFT } from '../../src/memory/layout.js';
import { EVICTION_NAMES } from '../../src/policy/index.js';
import { findSlot, NO_SLOT } from '../../src/table/index.js';
import { withCache } from '../fixtures/with-cache.js';

const seed = Number(process.env.SEED ?? Date.now() & 0x7fffffff);
t.comment(`SEED=${seed}`);
let state = seed | 0;
function random(below: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return Math.floor(((state >>> 8) / 2 ** 24) * below);
}

const MEANINGFUL = [
  '__proto__',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'toString',
  'valueOf',
  '__defineGetter__',
];

/** Another cache in the same bytes, copied, after `change`: with an id of its own, so that it is one to this thread too. */
function copyOf(handle: SharedCacheHandle, change: (control: Int32Array) => void): SharedCacheHandle {
  const control = handle.buffers.control.slice(0);
  const words = new Int32Array(control);
  words[CONTROL.cacheId0] = random(2 ** 31);
  change(words);
  return { kind: 'mooncake-cache', buffers: { control, segments: handle.buffers.segments.map((s) => s.slice(0)) } };
}

/** Buckets that the search for each key goes past, at most; and how many keys are there. */
function probes(cache: SharedCache, keys: readonly string[]): { present: number; longest: number } {
  const attachment = Attachment.of(Arena.attach(cache.handle.buffers));
  const { key: encoder } = attachment;
  let present = 0;
  let longest = 0;
  for (const key of keys) {
    encoder.encode(key);
    const shard = attachment.shardOf(encoder.hash);
    const slot = findSlot(shard, encoder);
    if (slot === NO_SLOT) continue;
    const passed = (slot >> SLOT_SHIFT) - shard.homeBucket(encoder.hash);
    present++;
    longest = Math.max(longest, passed < 0 ? passed + shard.bucketCount : passed);
  }
  attachment.release();
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

t.test('bytes with such names that no encoder wrote are refused', (t) => {
  const encoder = new ValueEncoder();
  const dictionary = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`name ${i}`, i]));
  for (const value of [{ __proto_X: { polluted: true } }, { ...dictionary, __proto_X: { polluted: true } }]) {
    encoder.encode(value);
    const forged = Buffer.from(encoder.bytes.subarray(encoder.offset, encoder.offset + encoder.lengthBytes));
    forged.write('__proto__', forged.indexOf('__proto_X'), 'latin1');
    t.throws(() => decodeCopied(encoder.kind, forged, forged.length, undefined), { code: 'ERR_CORRUPTED' });
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

/** True when the call returns or throws what the library throws. */
function isHandled(call: () => unknown): boolean {
  try {
    call();
  } catch (error) {
    if (!(error instanceof SharedCacheError)) throw error;
  }
  return true;
}

t.test('handles that cache.handle never returned', (t) => {
  const cache = withCache(t, { sweep: false });
  const { buffers } = cache.handle;
  const { control, segments } = buffers;
  const [segment] = segments;
  const shared = new SharedArrayBuffer(segment.byteLength);
  const monitor = new SharedMonitor();
  t.teardown(() => monitor.close());
  const handles: unknown[] = [
    undefined,
    null,
    'mooncake-cache',
    [],
    {},
    { kind: 'mooncake-cache' },
    { kind: 'mooncake-cache', buffers: null },
    { kind: 'mooncake-cache', buffers: { control } },
    { kind: 'mooncake-cache', buffers: { control, segments: {} } },
    { kind: 'mooncake-cache', buffers: { segments } },
    { kind: 'MOONCAKE-CACHE', buffers },
    { kind: 'mooncake-cache', buffers: { control, segments: [] } },
    { kind: 'mooncake-cache', buffers: { control, segments: [...segments, shared] } },
    { kind: 'mooncake-cache', buffers: { control, segments: [new ArrayBuffer(segment.byteLength)] } },
    { kind: 'mooncake-cache', buffers: { control, segments: [new Uint8Array(segment)] } },
    { kind: 'mooncake-cache', buffers: { control, segments: [segment.slice(0, -8)] } },
    { kind: 'mooncake-cache', buffers: { control: new ArrayBuffer(control.byteLength), segments } },
    { kind: 'mooncake-cache', buffers: { control: new SharedArrayBuffer(8), segments } },
    { kind: 'mooncake-cache', buffers: { control: new SharedArrayBuffer(control.byteLength), segments } },
    { kind: 'mooncake-cache', buffers: { control: segment, segments: [control] } },
    { kind: 'mooncake-cache', buffers: { control: monitor.handle.buffer, segments } },
    { kind: 'mooncake-cache', buffers, monitor: null },
    { kind: 'mooncake-cache', buffers, monitor: { kind: 'mooncake-monitor', buffer: control } },
  ];
  for (const [i, handle] of handles.entries()) {
    t.throws(
      () => SharedCache.attach(handle as SharedCacheHandle),
      { name: 'SharedCacheError', code: 'ERR_INVALID_HANDLE' },
      `handle ${i}`,
    );
  }
  t.end();
});

t.test('headers that nobody wrote are refused or do no more harm than a wrong setting', (t) => {
  const cache = withCache<unknown>(t, { maxBytes: '1MB', sweep: false });
  const checked: (keyof typeof CONTROL)[] = ['magic', 'layoutVersion', 'shardCount', 'shardWords', 'pageShift'];
  checked.push('shardsPerSegment', 'pageCount', 'bucketCount', 'policyShardWords', 'policyGlobalWords', 'evictionId');
  for (const name of checked) {
    for (const value of [-1, 2 ** 31 - 1, -(2 ** 31), 2 ** 30, 77]) {
      const handle = copyOf(cache.handle, (m) => {
        m[CONTROL[name]] = value;
      });
      // A segment may hold more shards than there are, and the control buffer more words: nothing follows from it.
      if (name === 'shardsPerSegment' && value > 0) continue;
      if (name === 'policyGlobalWords' && value === 77) continue;
      t.throws(() => SharedCache.attach(handle), { code: 'ERR_INVALID_HANDLE' }, `${name} = ${value}`);
    }
  }
  for (let i = 0; i < 200; i++) {
    const handle = copyOf(cache.handle, (m) => {
      for (let n = 0; n <= random(3); n++) m[random(CONTROL.clock)] = random(2 ** 24) << random(9);
    });
    isHandled(() => {
      const attached = SharedCache.attach<unknown>(handle);
      isHandled(() => attached.put('key', 'value'));
      isHandled(() => attached.get('key'));
      attached.close();
    });
  }
  t.end();
});

t.test('an index, entries and policy state that somebody wrote over', (t) => {
  for (let round = 0; round < 40; round++) {
    const eviction = EVICTION_NAMES[round % EVICTION_NAMES.length];
    const cache = withCache<unknown>(t, { maxBytes: '1MB', shards: 1, eviction, sweep: false, lockTimeoutMs: 50 });
    const values = [
      'x'.repeat(random(400)),
      { a: round, b: ['q'] },
      new Map([[1, 2]]),
      12n,
      round,
      Buffer.alloc(9_000),
    ];
    for (let i = 0; i < 1_000; i++) cache.put(`k${random(1_000)}`, values[i % values.length]);
    const [segment] = cache.handle.buffers.segments;
    const words = new Int32Array(segment);
    const { bucketsWord } = Arena.attach(cache.handle.buffers).geometry;
    for (let i = 0; i < 200; i++) {
      const at = bucketsWord + random(words.length - bucketsWord);
      words[at] = [random(2 ** 24), -1, 2 ** 31 - 1, -(2 ** 31), words[at] + 1, 0][random(6)];
    }
    for (let i = 0; i < 200; i++) {
      const key = `k${random(1_000)}`;
      const operations = [
        () => cache.get(key),
        () => cache.put(key, 'y'.repeat(random(3_000))),
        () => cache.delete(key),
        () => cache.increment(`n${random(9)}`),
        () => cache.update(key, () => 'z'),
        () => cache.touch(key, 1_000),
        () => cache.longestPrefix([key, 'k1']),
      ];
      isHandled(operations[random(operations.length)]);
    }
    for (const walk of [() => [...cache], () => cache.cleanupExpired(), () => cache.inspect()]) isHandled(walk);
    cache.clear();
    t.strictSame(cache.inspect().problems, [], `round ${round}: after clear() it is a cache again`);
    cache.put('key', 'value');
    t.equal(cache.get('key'), 'value');
  }
  t.end();
});
