import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { machineMs } from '../fixtures/time.js';
import { withCache } from '../fixtures/with-cache.js';

t.test('keys', (t) => {
  const cache = withCache<number>(t);
  const keys = [
    '',
    'a',
    'ü',
    '日本',
    '😀',
    '\ud800',
    '\udfff',
    '\ud800x',
    '\ufffd',
    '\ufeff',
    '\0',
    '__proto__',
    'a'.repeat(65_536),
    'é'.repeat(32_768),
  ];
  for (const [i, key] of keys.entries()) t.equal(cache.put(key, i), true);
  for (const [i, key] of keys.entries()) t.equal(cache.get(key), i);
  t.same(new Set(cache.keys()), new Set(keys));
  for (const bad of [undefined, null, 1, {}, Symbol('x'), new String('a'), 'a'.repeat(65_537), 'é'.repeat(32_769)]) {
    t.throws(() => cache.put(bad as never, 1), { code: 'ERR_INVALID_KEY' });
    t.throws(() => cache.get(bad as never), { code: 'ERR_INVALID_KEY' });
  }
  t.equal(cache.size, keys.length);
  t.end();
});

t.test('values', (t) => {
  const cache = withCache<unknown>(t);
  const cycle: Record<string, unknown> = { name: 'cycle' };
  cycle.self = cycle;
  const values = [
    '',
    'ascii',
    'é',
    '日本語',
    '😀',
    '\ud800',
    'x'.repeat(100_000),
    '😀'.repeat(50_000),
    0,
    -0,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 60,
    0n,
    -(2n ** 200n),
    true,
    false,
    null,
    new Date(5),
    /a+/gi,
    new Map([[{ a: 1 }, 'x']]),
    new Set([1, 'a']),
    new ArrayBuffer(8),
    new Uint8Array([1, 2]),
    new Float64Array([1.5]),
    new BigInt64Array([-1n]),
    new DataView(new ArrayBuffer(3)),
    Buffer.from('buffer'),
    Buffer.alloc(0),
    { a: { b: [1, undefined, null] } },
    { proto: 1 },
    [[], [[]]],
    cycle,
  ];
  for (const [i, value] of values.entries()) t.equal(cache.put(`value ${i}`, value), true);
  values.forEach((value, i) => {
    const got = cache.get(`value ${i}`);
    t.ok(isDeepStrictEqual(got, value), `value ${i}`);
    t.equal(Object.getPrototypeOf(Object(got)), Object.getPrototypeOf(Object(value)));
  });
  const error = cache.put('error', new RangeError('too far')) && (cache.get('error') as Error);
  t.match(error, { name: 'RangeError', message: 'too far' });
  for (const bad of [undefined, () => 1, Symbol('x'), { f: () => 1 }, [Symbol('y')]]) {
    t.throws(() => cache.put('ascii', bad), { code: 'ERR_INVALID_VALUE' });
  }
  t.equal(cache.has('ascii'), false);
  t.end();
});

t.test('ttl', (t) => {
  const cache = withCache<string>(t, { sweep: false });
  cache.put('never', 'x', { ttl: Number.POSITIVE_INFINITY });
  t.equal(cache.expiresIn('never'), Number.POSITIVE_INFINITY);
  cache.put('default', 'x');
  t.ok((cache.expiresIn('default') as number) > 3_590_000);
  t.equal(cache.expiresIn('absent'), undefined);
  cache.put('gone', 'x');
  t.equal(cache.put('gone', 'y', { ttl: 0 }), true);
  t.equal(cache.get('gone'), undefined);
  for (const ttl of [-1, Number.NaN, 'soon', '', '-5s', '5 parsecs', null]) {
    t.throws(() => cache.put('never', 'y', { ttl: ttl as never }), { code: 'ERR_INVALID_TTL' });
    t.throws(() => cache.touch('never', ttl as never), { code: 'ERR_INVALID_TTL' });
  }
  t.equal(cache.get('never'), 'x');
  t.equal(cache.touch('default', 50), true);
  t.equal(cache.touch('absent', 50), false);
  t.ok((cache.expiresIn('default') as number) <= 50);
  let alive = 0;
  for (let i = 0; i < 100; i++) {
    cache.put('default', 'x');
    cache.touch('default', 0);
    if (cache.has('default')) alive++;
  }
  t.equal(alive, 0, 'a TTL of 0 ends the entry at once, not with the next millisecond');
  t.end();
});

for (const sweep of [false, true]) {
  t.test(`never later than 20 ms, from a thread that never yields, sweeper ${sweep ? 'on' : 'off'}`, (t) => {
    const cache = withCache<number>(t, { sweep });
    for (let round = 0; round < 5; round++) {
      const ttl = 30 + round * 10;
      // The end lies between the two: this thread may rest meanwhile, and between a get and a look at the time.
      const earliest = machineMs() + ttl;
      cache.put('short', round, { ttl });
      const latest = machineMs() + ttl;
      let last = 0;
      for (let asked = machineMs(); cache.get('short') !== undefined; asked = machineMs()) last = asked;
      t.ok(last - latest <= 20, `seen until ${last - latest} ms after`);
      t.ok(machineMs() >= earliest, 'and not gone early');
    }
    t.end();
  });
}

t.test('cleanupExpired removes what has expired, and only that', (t) => {
  const cache = withCache<number>(t, { sweep: false });
  for (let i = 0; i < 1_000; i++) cache.put(`k${i}`, i, { ttl: i % 4 === 0 ? 1 : 60_000 });
  const end = machineMs() + 3;
  while (machineMs() < end);
  t.equal(cache.size, 1_000);
  t.equal([...cache.keys()].length, 750);
  t.equal(cache.cleanupExpired(), 250);
  t.equal(cache.size, 750);
  t.equal(cache.getStats().expirations, 250);
  t.equal(cache.cleanupExpired(), 0);
  t.end();
});

t.test('the sweeper removes expired entries by itself', async (t) => {
  const cache = withCache<number>(t, { sweep: { intervalMs: 5 } });
  for (let i = 0; i < 500; i++) cache.put(`k${i}`, i, { ttl: 20 });
  // Each look is a turn of the event loop; the test runner's timeout is the bound.
  while (cache.size > 0) await new Promise((resolve) => setImmediate(resolve));
  t.equal(cache.getStats().expirations, 500);
});
