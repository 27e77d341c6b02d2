/** What docs/security.md promises of handles and memory that somebody tampered with. */
import t from 'tap';
import { SharedCache, SharedCacheError, type SharedCacheHandle, SharedMonitor } from '../../src/index.js';
import { Arena } from '../../src/memory/arena.js';
import { CONTROL } from '../../src/memory/layout.js';
import { EVICTION_NAMES } from '../../src/policy/index.js';
import { copyOf } from '../fixtures/copied-cache.js';
import { wholeNumbers } from '../fixtures/random.js';
import { withCache } from '../fixtures/with-cache.js';

const seed = Number(process.env.SEED ?? Date.now() & 0x7fffffff);
t.comment(`SEED=${seed}`);
const random = wholeNumbers(seed);

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
    { kind: 'mooncake-cache', buffers: { control, segments: [segment.slice(0, segment.byteLength >> 1)] } },
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
