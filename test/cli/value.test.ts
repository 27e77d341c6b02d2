/** How the command shows values: nothing is shown as something else. */
import t from 'tap';
import { printedValue, shownValue } from '../../src/cli/value.js';
import { withCache } from '../fixtures/with-cache.js';

const cycle: { self?: unknown } = {};
cycle.self = cycle;
const deep: unknown[] = [];
for (let i = 0, at = deep; i < 2_000; i++) {
  const inner: unknown[] = [];
  at.push(inner);
  at = inner;
}
const holes = [1, 2, 3];
delete holes[1];

/** What is stored; its type; what is printed; and what JSON has, if that is not the value. */
const VALUES: [unknown, string, string, unknown?][] = [
  ['text\n', 'string', 'text\n\n'],
  ['', 'string', '\n'],
  ['null', 'string', 'null\n'],
  [null, 'null', 'null\n'],
  [true, 'boolean', 'true\n'],
  [0, 'number', '0\n'],
  [-0, 'number', '-0\n', '-0'],
  [Number.NaN, 'number', 'NaN\n', 'NaN'],
  [Number.POSITIVE_INFINITY, 'number', 'Infinity\n', 'Infinity'],
  [Number.NEGATIVE_INFINITY, 'number', '-Infinity\n', '-Infinity'],
  [2 ** 53, 'number', '9007199254740992\n'],
  [12n, 'bigint', '12n\n', '12n'],
  [new Date(0), 'Date', '1970-01-01T00:00:00.000Z\n', '1970-01-01T00:00:00.000Z'],
  [new Date(Number.NaN), 'Date', 'Invalid Date\n', 'Invalid Date'],
  [new Map([[1, { a: 2 }]]), 'Map', 'Map(1) { 1 => { a: 2 } }\n', 'Map(1) { 1 => { a: 2 } }'],
  [new Set(['x']), 'Set', "Set(1) { 'x' }\n", "Set(1) { 'x' }"],
  [/a/g, 'RegExp', '/a/g\n', '/a/g'],
  [{ a: [1, 'b', null] }, 'Object', '{"a":[1,"b",null]}\n'],
  [{}, 'Object', '{}\n'],
  [[], 'Array', '[]\n'],
  [{ a: undefined }, 'Object', '{ a: undefined }\n', '{ a: undefined }'],
  [[undefined], 'Array', '[ undefined ]\n', '[ undefined ]'],
  [holes, 'Array', '[ 1, <1 empty item>, 3 ]\n', '[ 1, <1 empty item>, 3 ]'],
  [{ at: new Date(0) }, 'Object', '{ at: 1970-01-01T00:00:00.000Z }\n', '{ at: 1970-01-01T00:00:00.000Z }'],
  [[Number.NaN, -0, 1n], 'Array', '[ NaN, -0, 1n ]\n', '[ NaN, -0, 1n ]'],
  [cycle, 'Object', '<ref *1> { self: [Circular *1] }\n', '<ref *1> { self: [Circular *1] }'],
];

t.test('values as they come out of a cache', (t) => {
  const cache = withCache<unknown>(t);
  for (const [stored, type, printed, text] of VALUES) {
    cache.put('k', stored);
    const value = cache.peek('k');
    const name = JSON.stringify(printed);
    t.equal(printedValue(value), printed, name);
    const shown = JSON.parse(JSON.stringify(shownValue(value)));
    if (text === undefined) t.strictSame(shown, { type, encoding: 'json', value: stored }, name);
    else t.strictSame(shown, { type, encoding: 'text', value: text }, name);
  }
  t.end();
});

t.test('octets', (t) => {
  const cache = withCache<unknown>(t);
  const octets = Buffer.from([0, 10, 255, 1]);
  const memory = new Uint8Array(octets).buffer;
  for (const [stored, type] of [
    [octets, 'Buffer'],
    [new Uint8Array(memory), 'Uint8Array'],
    [new Int16Array(memory), 'Int16Array'],
    [new DataView(memory), 'DataView'],
    [memory, 'ArrayBuffer'],
  ] as const) {
    cache.put('k', stored);
    const value = cache.peek('k');
    t.strictSame(printedValue(value), octets, `${type}: as they are`);
    t.strictSame(shownValue(value), { type, encoding: 'base64', value: 'AAr/AQ==' });
  }
  t.end();
});

t.test('long and deep ones are shown whole', (t) => {
  const long = new Map([['k', Array.from({ length: 5_000 }, (_, i) => i)]]);
  t.match(printedValue(long), /4998, +4999/);
  t.match(printedValue(new Map([[1, 'x'.repeat(50_000)]])), 'x'.repeat(50_000));
  t.match(shownValue(deep), { type: 'Array', encoding: 'text', value: /^\[\s*\[/ });
  t.match(printedValue({ plain: 'x'.repeat(50_000) }), /^\{"plain":"x{50000}"\}\n$/);
  t.end();
});
