import t from 'tap';
import { toMs } from '../../src/duration.js';
import { parseBytes, resolveOptions } from '../../src/options.js';

const MB = 2 ** 20;

t.test('sizes', (t) => {
  const sizes: [number | string, number][] = [
    [MB, MB],
    ['1MB', MB],
    ['64MB', 64 * MB],
    ['1.5 GB', 1_536 * MB],
    [' 2gb ', 2_048 * MB],
    ['2048KB', 2 * MB],
    ['1048576', MB],
    ['1048576B', MB],
    ['64mb', 64 * MB],
    ['64MiB', 64 * MB],
    ['64 M', 64 * MB],
    ['1g', 1_024 * MB],
    ['2048k', 2 * MB],
    ['0.5tb', 2 ** 39],
    [MB + 0.5, MB],
  ];
  for (const [size, bytes] of sizes) t.equal(parseBytes(size), bytes, String(size));
  for (const size of [
    '',
    'MB',
    '-1MB',
    '1e9',
    '2TB',
    '1PB',
    '5 parsecs',
    '0x100000',
    0,
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    null,
    {},
  ]) {
    t.throws(() => parseBytes(size as never), { code: 'ERR_INVALID_OPTION' }, String(size));
  }
  t.end();
});

t.test('defaults', (t) => {
  t.match(resolveOptions(), { maxBytes: 64 * MB, ttl: 3_600_000, eviction: 'adaptive', sweepIntervalMs: 50 });
  t.equal(resolveOptions().maxEntries, undefined);
  t.equal(resolveOptions().monitor, undefined);
  t.equal(resolveOptions({ sweep: false }).sweepIntervalMs, undefined);
  t.equal(resolveOptions({ sweep: { intervalMs: 7 } }).sweepIntervalMs, 7);
  t.equal(resolveOptions({ sweep: { intervalMs: '2s' } }).sweepIntervalMs, 2_000);
  t.equal(resolveOptions({ lockTimeoutMs: '1m' }).lockTimeoutMs, 60_000);
  t.same(resolveOptions({ monitor: true }).monitor, {});
  t.equal(resolveOptions({ monitor: false }).monitor, undefined);
  t.end();
});

t.test('what was received and what is allowed', (t) => {
  for (const [text, code] of [
    ['soon', 'ERR_INVALID_TTL'],
    ['0s', 'ERR_INVALID_OPTION'],
  ] as const) {
    t.throws(() => resolveOptions({ lockTimeoutMs: text }), { code });
    t.throws(() => resolveOptions({ sweep: { intervalMs: text } }), { code });
  }
  t.throws(() => resolveOptions({ shards: 3 }), /shards must be a power of two from 1 to 1024, received 3/);
  t.throws(() => resolveOptions({ eviction: 'random' as never }), /one of .*'?adaptive.*received "random"/);
  t.throws(() => resolveOptions({ maxEntrys: 3 } as never), /did you mean maxEntries/);
  t.throws(() => resolveOptions({ zzz: 3 } as never), /known are maxBytes/);
  t.throws(() => toMs('1 parsec'), /milliseconds >= 0, Infinity or a string such as .*, received "1 parsec"/);
  for (const ttl of [null, -1, Number.NaN, 'soon']) {
    t.throws(() => resolveOptions({ ttl: ttl as never }), { code: 'ERR_INVALID_TTL' });
  }
  t.throws(() => resolveOptions({ maxBytes: null as never }), { code: 'ERR_INVALID_OPTION' });
  t.end();
});
