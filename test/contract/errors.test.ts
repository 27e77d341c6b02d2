/** Every refusal is a SharedCacheError with a stable code that says what was received and what is allowed. */
import t from 'tap';
import { CachePool, type ErrorCode, SharedCache, SharedCacheError, SharedMonitor } from '../../src/index.js';
import { withCache } from '../fixtures/with-cache.js';

/** A call, the code of its refusal, and the words that say what is allowed and what was received. */
type Case = [call: () => unknown, code: ErrorCode, allowed: string, received: string];

/** For what the types forbid and JavaScript lets pass. */
const wrong = (value: unknown): never => value as never;

function check(test: Pick<typeof t, 'match' | 'equal'>, cases: readonly Case[]): void {
  for (const [call, code, allowed, received] of cases) {
    let error: unknown;
    try {
      error = call();
    } catch (thrown) {
      error = thrown;
    }
    test.equal(error instanceof SharedCacheError, true, `${call}: ${error}`);
    test.match(error, { name: 'SharedCacheError', code }, String(call));
    const { message } = error as Error;
    test.match(message, allowed, 'says what is allowed');
    test.match(message, received, 'says what was received');
  }
}

t.test('keys, values and TTLs', (t) => {
  const cache = withCache<unknown>(t);
  cache.put('text', 'stays');
  const before = cache.getStats();
  const long = 'k'.repeat(65_537);
  check(t, [
    [() => cache.get(wrong(5)), 'ERR_INVALID_KEY', 'a string', '5 (number)'],
    [() => cache.put(wrong(undefined), 1), 'ERR_INVALID_KEY', 'a string', 'received undefined'],
    [() => cache.delete(wrong(null)), 'ERR_INVALID_KEY', 'a string', 'received null'],
    [() => cache.has(wrong({})), 'ERR_INVALID_KEY', 'a string', 'an object'],
    [() => cache.touch(wrong(Symbol('s'))), 'ERR_INVALID_KEY', 'a string', 'Symbol(s)'],
    [() => cache.expiresIn(long), 'ERR_INVALID_KEY', '65536 bytes', '65537'],
    [() => cache.peek('é'.repeat(32_769)), 'ERR_INVALID_KEY', '65536 bytes', '65538'],
    [() => cache.put('a', undefined), 'ERR_INVALID_VALUE', 'cannot be stored', 'received undefined'],
    [() => cache.put('a', () => 1), 'ERR_INVALID_VALUE', 'functions', 'a function'],
    [() => cache.put('a', { f: () => 1 }), 'ERR_INVALID_VALUE', 'cannot be stored', 'a function'],
    [() => cache.putIfAbsent('a', Symbol('s')), 'ERR_INVALID_VALUE', 'symbols', 'Symbol(s)'],
    [() => cache.update('a', () => new WeakMap()), 'ERR_INVALID_VALUE', 'cannot be stored', 'WeakMap'],
    [() => cache.increment('text'), 'ERR_INVALID_VALUE', 'a number', '"text"'],
    [() => cache.put('a', 1, { ttl: -1 }), 'ERR_INVALID_TTL', '>= 0, Infinity or', '-1'],
    [() => cache.put('a', 1, { ttl: wrong('soon') }), 'ERR_INVALID_TTL', 'milliseconds', '"soon"'],
    [() => cache.putMany([['a', 1]], { ttl: Number.NaN }), 'ERR_INVALID_TTL', 'milliseconds', 'NaN'],
    [() => cache.increment('n', 1, { ttl: wrong(null) }), 'ERR_INVALID_TTL', 'milliseconds', 'null'],
    [() => cache.touch('text', -5), 'ERR_INVALID_TTL', 'milliseconds', '-5'],
  ]);
  t.match(cache.getStats(), before, 'nothing was changed or counted');
  t.end();
});

t.test('arguments and options of methods', (t) => {
  const cache = withCache<unknown>(t);
  cache.put('there', 1);
  const load = (): number => 1;
  check(t, [
    [() => cache.put('a', 1, wrong(5_000)), 'ERR_INVALID_OPTION', '{ ttl, tags }', '5000 (number)'],
    [() => cache.put('a', 1, wrong(null)), 'ERR_INVALID_OPTION', '{ ttl, tags }', 'null'],
    [() => cache.put('a', 1, wrong({ tll: 5 })), 'ERR_INVALID_OPTION', 'did you mean ttl?', '"tll"'],
    [() => cache.put('a', 1, wrong({ ttl: 5, tll: 5 })), 'ERR_INVALID_OPTION', 'did you mean ttl?', '"tll"'],
    [() => cache.putIfAbsent('a', 1, wrong({ TTL: 5 })), 'ERR_INVALID_OPTION', 'did you mean ttl?', '"TTL"'],
    [() => cache.update('a', load, wrong({ tt: 5 })), 'ERR_INVALID_OPTION', 'did you mean ttl?', '"tt"'],
    [() => cache.increment('n', 1, wrong({ maxAge: 5 })), 'ERR_INVALID_OPTION', 'did you mean ttl', '"maxAge"'],
    [() => cache.putMany([['a', 1]], wrong({ tlt: 5 })), 'ERR_INVALID_OPTION', 'did you mean ttl?', '"tlt"'],
    [() => cache.getOrSetSync('a', load, wrong({ timeout: 5 })), 'ERR_INVALID_OPTION', 'timeoutMs?', '"timeout"'],
    [() => cache.getMany(wrong('ab')), 'ERR_INVALID_ARGUMENT', 'an array of strings', '"ab"'],
    [() => cache.longestPrefix(wrong(undefined)), 'ERR_INVALID_ARGUMENT', 'an array of strings', 'undefined'],
    [() => cache.putMany(wrong({ a: 1 })), 'ERR_INVALID_ARGUMENT', '[key, value] pairs', 'an object'],
    [() => cache.putMany(wrong(['ab'])), 'ERR_INVALID_ARGUMENT', 'a [key, value] pair', '"ab"'],
    [() => cache.update('a', wrong(1)), 'ERR_INVALID_ARGUMENT', 'a function', '1 (number)'],
    [() => cache.increment('n', wrong('1')), 'ERR_INVALID_ARGUMENT', 'a number', '"1"'],
    [() => cache.increment('n', Number.NaN), 'ERR_INVALID_ARGUMENT', 'not NaN', 'received NaN'],
    [() => cache.getOrSetSync('there', wrong(1)), 'ERR_INVALID_ARGUMENT', 'a function', '1 (number)'],
    [() => cache.getOrSetSync('a', load, wrong(1)), 'ERR_INVALID_OPTION', '{ ttl, tags, staleTtl', '1 (number)'],
    [() => cache.getOrSetSync('a', load, wrong({ stale: 1 })), 'ERR_INVALID_OPTION', 'known are ttl, ', '"stale"'],
    [() => cache.getOrSetSync('a', load, { staleTtl: -1 }), 'ERR_INVALID_TTL', 'staleTtl must be', '-1'],
    [() => cache.getOrSetSync('a', load, { timeoutMs: -1 }), 'ERR_INVALID_ARGUMENT', 'timeoutMs must be', '-1'],
  ]);
  t.equal(cache.size, 1);
  t.end();
});

t.test('what getOrSet rejects with', async (t) => {
  const cache = withCache<unknown>(t);
  const load = (): number => 1;
  const cases: [call: Promise<unknown>, code: ErrorCode, message: RegExp][] = [
    [cache.getOrSet(wrong(1), load), 'ERR_INVALID_KEY', /a string.*1 \(number\)/],
    [cache.getOrSet('a', wrong(undefined)), 'ERR_INVALID_ARGUMENT', /a function.*undefined/],
    [cache.getOrSet('a', load, wrong(null)), 'ERR_INVALID_OPTION', /\{ ttl, .*null/],
    [cache.getOrSet('a', load, { signal: wrong(1) }), 'ERR_INVALID_ARGUMENT', /an AbortSignal.*1 \(number\)/],
    [cache.getOrSet('a', load, wrong({ singal: 1 })), 'ERR_INVALID_OPTION', /"singal".*did you mean signal\?/],
    [cache.getOrSet('a', () => undefined), 'ERR_INVALID_VALUE', /undefined/],
  ];
  for (const [call, code, message] of cases) await t.rejects(call, { name: 'SharedCacheError', code, message });
});

t.test('options of a cache', (t) => {
  const create = (options: unknown) => () => new SharedCache({ maxBytes: '1MB', ...(options as object) });
  const cases: [options: object, allowed: string, received: string][] = [
    [{ maxBytes: '12 parsecs' }, "'64MB', '64MiB'", '"12 parsecs"'],
    [{ maxBytes: 2 ** 19 }, 'from 1MB', '524288'],
    [{ maxEntries: 0.5 }, 'a whole number from 1 to', '0.5'],
    [{ shards: 12 }, 'a power of two from 1 to 1024', '12'],
    [{ shards: 512 }, 'allowed are', '512 shards'],
    [{ eviction: 'lur' }, 'adaptive, s3-fifo, lru, lfu, fifo', '"lur"'],
    [{ averageEntryBytes: 1 }, 'from 32 to', '1 (number)'],
    [{ codec: { encode: String } }, 'encode and decode', 'an object'],
    [{ monitor: 'on' }, 'a boolean or { sample, retention }', '"on"'],
    [{ monitor: { sample: 0 } }, 'from 1 to 1000000', '0 (number)'],
    [{ monitor: { sampel: 2 } }, 'did you mean sample?', '"sampel"'],
    [{ sweep: 50 }, 'a boolean or { intervalMs }', '50'],
    [{ sweep: { interval: 50 } }, 'did you mean intervalMs?', '"interval"'],
    [{ sweep: { intervalMs: 0 } }, 'from 1 to 60000', '0 (number)'],
    [{ lockTimeoutMs: 0 }, 'from 1', '0 (number)'],
    [{ maxEntires: 5 }, 'did you mean maxEntries?', '"maxEntires"'],
    [{ maxbytes: 5 }, 'did you mean maxBytes?', '"maxbytes"'],
    [{ tll: 5 }, 'did you mean ttl?', '"tll"'],
    [{ evict: 'lru' }, 'known are maxBytes, maxEntries, ttl', '"evict"'],
  ];
  check(
    t,
    cases.map(([options, allowed, received]) => [create(options), 'ERR_INVALID_OPTION', allowed, received]),
  );
  check(t, [
    [() => new SharedCache(wrong('64MB')), 'ERR_INVALID_OPTION', 'an object', '"64MB"'],
    [() => new SharedCache(wrong([])), 'ERR_INVALID_OPTION', 'an object', 'an array'],
    [create({ ttl: '1 parsec' }), 'ERR_INVALID_TTL', 'milliseconds >= 0, Infinity or', '"1 parsec"'],
  ]);
  t.end();
});

t.test('handles, pools and monitors', (t) => {
  const cache = withCache<unknown>(t);
  const codec = { encode: (value: unknown) => Buffer.from(String(value)), decode: String };
  const custom = withCache<unknown>(t, { codec });
  const monitor = new SharedMonitor();
  const { handle } = cache;
  check(t, [
    [() => SharedCache.attach(wrong(cache)), 'ERR_INVALID_HANDLE', 'what cache.handle returned', 'an object'],
    [() => SharedCache.attach(wrong(monitor.handle)), 'ERR_INVALID_HANDLE', 'what cache.handle returned', 'an object'],
    [() => SharedCache.attach(handle, wrong(null)), 'ERR_INVALID_OPTION', '{ codec, now }', 'null'],
    [() => SharedCache.attach(handle, wrong({ codek: codec })), 'ERR_INVALID_OPTION', 'did you mean codec', '"codek"'],
    [() => SharedCache.attach(handle, { codec }), 'ERR_INVALID_OPTION', 'left out', 'an object'],
    [() => SharedCache.attach(handle, { codec: wrong(1) }), 'ERR_INVALID_OPTION', 'encode and decode', '1 (number)'],
    [() => SharedCache.attach(custom.handle), 'ERR_INVALID_OPTION', 'the cache was created with', 'undefined'],
    [() => new CachePool(wrong(undefined)), 'ERR_INVALID_OPTION', '{ filename, cache', 'undefined'],
    [() => new CachePool({ filename: wrong(1), cache }), 'ERR_INVALID_OPTION', 'a path or a file: URL', '1 (number)'],
    [() => new CachePool({ filename: 'x', cache: wrong(1) }), 'ERR_INVALID_OPTION', 'a SharedCache', '1 (number)'],
    [() => new CachePool({ filename: 'x', cache, name: wrong(1) }), 'ERR_INVALID_OPTION', 'an export', '1 (number)'],
    [() => new CachePool(wrong({ file: 'x', cache })), 'ERR_INVALID_OPTION', 'known are filename, cache', '"file"'],
    [() => new CachePool(wrong({ filename: 'x', cahce: cache })), 'ERR_INVALID_OPTION', 'mean cache?', '"cahce"'],
    [
      () => new CachePool(wrong({ filename: 'x', cache, maxThread: 2 })),
      'ERR_INVALID_OPTION',
      'mean maxThreads?',
      '"maxThread"',
    ],
    [
      () => new CachePool({ filename: 'x', cache, maxThreads: 0 }),
      'ERR_INVALID_OPTION',
      'piscina refuses',
      'options.maxThreads',
    ],
    [() => new SharedMonitor(wrong({ retenton: 1 })), 'ERR_INVALID_OPTION', 'did you mean retention?', '"retenton"'],
    [() => SharedMonitor.attach(wrong(1)), 'ERR_INVALID_HANDLE', 'what monitor.handle returned', '1 (number)'],
    [() => monitor.time('x', wrong(1)), 'ERR_INVALID_ARGUMENT', 'a function', '1 (number)'],
    [() => monitor.observe(wrong(1)), 'ERR_INVALID_ARGUMENT', 'a function', '1 (number)'],
    [() => monitor.recordOperation('', 1, true), 'ERR_INVALID_ARGUMENT', '1 to 64', '""'],
    [() => monitor.recordOperation('x', -1, true), 'ERR_INVALID_ARGUMENT', 'not negative', '-1'],
    [() => monitor.recordOperation('x', 1, wrong(1)), 'ERR_INVALID_ARGUMENT', 'a boolean', '1 (number)'],
  ]);
  monitor.close();
  check(t, [[() => monitor.recorder('x'), 'ERR_CLOSED', 'attach', 'closed in this thread']]);
  const closed = new SharedCache({ maxBytes: '1MB' });
  closed.close();
  check(t, [[() => closed.get('x'), 'ERR_CLOSED', 'attach', 'closed in this thread']]);
  t.end();
});

t.test('an update that always loses ends with an error', (t) => {
  const cache = withCache<number>(t, { lockTimeoutMs: 50 });
  const nested = (): unknown =>
    cache.update('n', (outer = 0) => {
      cache.update('n', (inner = 0) => inner + 1);
      return outer + 1;
    });
  check(t, [[nested, 'ERR_LOCK_TIMEOUT', 'must not write the key', '"n" lost every race for 50 ms']]);
  t.end();
});

t.test('other caches’ words, and handles that took the wrong way', (t) => {
  const hints = { max: 'maxEntries', maxItems: 'maxEntries', maxSize: 'maxBytes', maxAge: 'ttl', stdTTL: 'ttl' };
  for (const [name, ours] of Object.entries(hints))
    t.throws(() => new SharedCache(wrong({ [name]: 5 })), { message: new RegExp(`did you mean ${ours}`) }, name);
  const cache = withCache(t);
  t.throws(() => SharedCache.attach(wrong(cache)), { message: /pass cache\.handle, not the cache itself/ });
  t.throws(() => SharedCache.attach(wrong({})), { message: /posted itself/ });
  t.throws(() => SharedCache.attach(JSON.parse(JSON.stringify(cache.handle))), {
    code: 'ERR_INVALID_HANDLE',
    message: /opens? the cache by its path/,
  });
  t.end();
});
