import { isDeepStrictEqual, types } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { decodeKey, KeyEncoder } from '../../src/codec/key.js';
import { ValueKind } from '../../src/codec/kinds.js';
import { ValueEncoder } from '../../src/codec/value.js';
import { bytesOf, roundTrip } from '../unit/value-round-trip.js';

const seed = Number(process.env.SEED ?? Date.now() & 0x7fffffff);
console.log(`SEED=${seed}`);
const encoder = new ValueEncoder();

const anyString = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });
const string = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  anyString,
  fc.constantFrom('__proto__', 'a\0b', '1'),
);
const leaf = fc.oneof(
  string,
  fc.integer(),
  fc.double(),
  fc.constantFrom(null, undefined, true, false, -0, 2 ** 23, -(2 ** 23), 2 ** 23 - 1),
);
const exotic = fc.oneof(
  fc.bigInt(),
  fc.date({ noInvalidDate: false }),
  fc.uint8Array(),
  fc.float64Array(),
  fc.constantFrom(
    /a+/giu,
    new Map([[1, { a: 1 }]]),
    new Set(['x']),
    Object.assign([1], { named: 1 }),
    Object.assign(new Array(2), { 1: 'after a hole' }),
    new Error('e'),
  ),
);
const tree = (scalar: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      scalar,
      fc.array(tie('node')),
      fc.dictionary(string, tie('node'), { noNullPrototype: true }),
    ),
  })).node;

/** Deep equality that also takes two invalid dates as equal, and key order as part of the value. */
function same(a: unknown, b: unknown): boolean {
  if (types.isDate(a) && types.isDate(b)) return Object.is(a.getTime(), b.getTime());
  const isPlain = (x: unknown): x is Record<string, unknown> =>
    typeof x === 'object' && x !== null && [Object.prototype, Array.prototype].includes(Object.getPrototypeOf(x));
  if (!isPlain(a) || !isPlain(b)) return isDeepStrictEqual(a, b);
  const keys = Object.keys(a);
  return (
    Array.isArray(a) === Array.isArray(b) &&
    (!Array.isArray(a) || a.length === (b as unknown as unknown[]).length) &&
    isDeepStrictEqual(keys, Object.keys(b)) &&
    keys.every((key) => same(a[key], b[key]))
  );
}

for (const [name, arbitrary] of [
  ['plain', tree(leaf)],
  ['mixed', tree(fc.oneof({ weight: 6, arbitrary: leaf }, exotic))],
] as const) {
  t.test(`${name} values come back as structuredClone returns them`, async () => {
    fc.assert(
      fc.property(
        arbitrary.filter((value) => value !== undefined),
        (value) => same(roundTrip(encoder, value), structuredClone(value)),
      ),
      { seed, numRuns: 3000 },
    );
  });
}

t.test('shared objects and cycles stay shared', async (t) => {
  const shape = fc.tuple(fc.integer({ min: 2, max: 30 }), fc.array(fc.tuple(fc.nat(29), fc.nat(29)), { minLength: 1 }));
  fc.assert(
    fc.property(shape, ([count, edges]) => {
      const nodes = Array.from({ length: count }, (_, id) => ({ id, to: [] as unknown[] }));
      for (const [from, to] of edges) nodes[from % count].to.push(nodes[to % count]);
      return isDeepStrictEqual(walk(roundTrip(encoder, nodes)), walk(nodes));
    }),
    { seed, numRuns: 500 },
  );
  t.end();
});

/** Every object numbered when first met, and where each of its links goes. */
function walk(root: unknown): string[] {
  const numbers = new Map<object, number>();
  const lines: string[] = [];
  const visit = (value: unknown): string => {
    if (typeof value !== 'object' || value === null) return String(value);
    const known = numbers.get(value);
    if (known !== undefined) return `#${known}`;
    const number = numbers.size;
    numbers.set(value, number);
    lines[number] = Object.entries(value)
      .map(([key, to]) => `${key}:${visit(to)}`)
      .join();
    return `#${number}`;
  };
  visit(root);
  return lines;
}

t.test('the quick form is what plain trees get', async (t) => {
  for (const value of [{ id: 1, tags: ['a'] }, [], {}, [undefined], { 日: -0 }]) {
    encoder.encode(value);
    t.equal(encoder.kind, ValueKind.plain);
  }
});

t.test('keys are injective and come back', async () => {
  const keys = new KeyEncoder(seed, ~seed);
  const bytes = (key: string): Buffer => {
    keys.encode(key);
    return Buffer.from(Buffer.from(keys.words.buffer, 0, keys.lengthBytes));
  };
  fc.assert(
    fc.property(string, string, (a, b) => {
      const [x, y] = [bytes(a), bytes(b)];
      return decodeKey(x, 0, x.length) === a && decodeKey(y, 0, y.length) === b && x.equals(y) === (a === b);
    }),
    { seed, numRuns: 5000 },
  );
});

t.test('what is encoded depends on the value alone', async () => {
  fc.assert(
    fc.property(
      tree(leaf).filter((value) => value !== undefined),
      fc.anything(),
      (value, other) => {
        encoder.encode(value);
        const first = bytesOf(encoder);
        try {
          encoder.encode(other);
        } catch {
          // Refused values must leave nothing behind either.
        }
        encoder.encode(value);
        return bytesOf(encoder).equals(first);
      },
    ),
    { seed, numRuns: 1000 },
  );
});
