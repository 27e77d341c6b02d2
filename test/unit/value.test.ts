import t from 'tap';
import { ValueKind } from '../../src/codec/kinds.js';
import { decodeCopied, isDirect, ValueEncoder } from '../../src/codec/value.js';
import { bytesOf, decodeEncoded, roundTrip } from './value-round-trip.js';

// Not in the types of a program without a DOM.
const wasm = (globalThis as unknown as { WebAssembly: { Module: new (bytes: Uint8Array) => object } }).WebAssembly;
const encoder = new ValueEncoder();

t.test('scalars are exact', async (t) => {
  for (const value of [null, true, false, 0, -0, 1, -1.5, NaN, Infinity, -Infinity, 2 ** 53, 5e-324])
    t.ok(Object.is(roundTrip(encoder, value), value), String(value));
  for (const value of [0n, 1n, -1n, 2n ** 64n, -(2n ** 200n)]) t.equal(roundTrip(encoder, value), value);
});

t.test('strings of every width and length', async (t) => {
  const lengths = [0, 1, 2, 3, 4, 5, 100, 255, 256, 257, 1000, 65_535, 65_536, 65_537, 300_000];
  for (const unit of ['a', 'é', '日', '\ud800', '😀']) {
    for (const length of lengths) {
      const value = unit.repeat(length);
      if (roundTrip(encoder, value) !== value) t.fail(`${JSON.stringify(unit)} x ${length}`);
    }
  }
  encoder.encode('é');
  t.ok(isDirect(encoder.kind), 'latin1 can be read from racing memory');
  encoder.encode('é日');
  t.notOk(isDirect(encoder.kind), 'UTF-16 cannot');
});

t.test('words are the bytes, with a padded tail', async (t) => {
  for (const value of ['abcde', 'x'.repeat(301), { a: 'abcde', b: 'x'.repeat(301) }, { a: 'abc' }]) {
    encoder.encode('\u00ff'.repeat(1000));
    encoder.encode({ a: '\u00ff'.repeat(1000) });
    encoder.encode(value);
    const { words, lengthBytes } = encoder;
    t.not(words, undefined);
    const inWords = Buffer.from((words as Int32Array).buffer).subarray(0, (lengthBytes + 3) & ~3);
    t.ok(inWords.subarray(0, lengthBytes).equals(bytesOf(encoder)));
    t.ok(
      inWords.subarray(lengthBytes).every((byte) => byte === 0),
      `${lengthBytes} bytes`,
    );
  }
});

t.test('binary values keep their class and bring only their own bytes', async (t) => {
  const memory = Uint8Array.from({ length: 64 }, (_, i) => i).buffer;
  const views = [
    new Uint8Array(memory, 3, 5),
    new Int8Array(memory, 3, 5),
    new Uint8ClampedArray(memory, 1, 2),
    new Uint16Array(memory, 2, 3),
    new Int16Array(memory, 2, 3),
    new Uint32Array(memory, 4, 3),
    new Int32Array(memory, 4, 3),
    new Float32Array(memory, 4, 3),
    new Float64Array(memory, 8, 3),
    new BigUint64Array(memory, 8, 3),
    new BigInt64Array(memory, 8, 3),
    new DataView(memory, 5, 7),
    new Uint8Array(0),
    Buffer.from('pooled'),
  ];
  for (const view of views) {
    const got = roundTrip(encoder, view) as ArrayBufferView;
    t.equal(Object.getPrototypeOf(got), Object.getPrototypeOf(view), view.constructor.name);
    t.equal(got.buffer.byteLength, view.byteLength, 'nothing else behind it');
    t.strictSame(got, view);
  }
  const buffer = roundTrip(encoder, memory);
  t.type(buffer, ArrayBuffer);
  t.strictSame(new Uint8Array(buffer as ArrayBuffer), new Uint8Array(memory));
});

t.test('subclasses, shared and resizable memory', async (t) => {
  class Bytes extends Uint16Array {}
  const fromSubclass = roundTrip(encoder, Bytes.of(1, 2));
  t.equal(Object.getPrototypeOf(fromSubclass), Uint16Array.prototype);

  const shared = new Uint8Array(new SharedArrayBuffer(8), 2, 4).fill(9);
  for (const got of [roundTrip(encoder, shared), (roundTrip(encoder, { shared }) as { shared: Uint8Array }).shared]) {
    t.type((got as Uint8Array).buffer, ArrayBuffer);
    t.strictSame(got, Uint8Array.of(9, 9, 9, 9));
  }
  t.throws(() => encoder.encode(new SharedArrayBuffer(8)), { code: 'ERR_INVALID_VALUE' });

  const options = { maxByteLength: 16 };
  const resizable = new (ArrayBuffer as new (length: number, options: object) => ArrayBuffer)(8, options);
  const got = roundTrip(encoder, resizable) as ArrayBuffer & { resizable: boolean; maxByteLength: number };
  t.equal(got.resizable, true);
  t.equal(got.maxByteLength, 16);
  const view = roundTrip(encoder, new Uint8Array(resizable)) as Uint8Array & { buffer: { resize(to: number): void } };
  view.buffer.resize(12);
  t.equal(view.length, 12, 'the view still follows its buffer');
});

t.test(
  'nested binary values are independent of the scratch, share as they did, and Buffers stay Buffers',
  async (t) => {
    const memory = new ArrayBuffer(8);
    const value = {
      text: Buffer.from('some nested text'),
      a: new Uint8Array(memory, 2, 3),
      b: new DataView(memory),
      memory,
    };
    const got = roundTrip(encoder, value) as typeof value;
    t.ok(Buffer.isBuffer(got.text));
    t.equal(got.text.toString(), 'some nested text');
    t.equal(got.text.buffer.byteLength, got.text.length, 'not the pool behind it');
    t.equal(got.a.buffer, got.memory);
    t.equal(got.b.buffer, got.memory);
    t.equal(got.a.byteOffset, 2);
  },
);

t.test('what cannot be cloned is refused, with what was received', async (t) => {
  const values = [
    undefined,
    () => 1,
    Symbol('s'),
    { f: () => 1 },
    [Symbol('s')],
    { deep: [{ f() {} }] },
    new Proxy({}, {}),
    [new Proxy([], {})],
    new WeakMap(),
    Promise.resolve(),
    new URL('https://example.org/'),
    [new URLSearchParams('a=1')],
    { module: new wasm.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)) },
    new WeakRef({}),
    new AbortController().signal,
  ];
  for (const value of values) t.throws(() => encoder.encode(value), { code: 'ERR_INVALID_VALUE' });
  const own = new Error('mine');
  const broken = {
    get broken(): never {
      throw own;
    },
  };
  t.throws(() => encoder.encode(broken), own, 'what a getter throws comes through unchanged');
  t.throws(() => encoder.encode(undefined), { message: /undefined/ });
  t.throws(() => encoder.encode(Symbol('s')), { message: /symbol/ });
  t.throws(() => encoder.encode(() => 1), { message: /function/ });
});

t.test('a getter may use the same encoder', async (t) => {
  const value = {
    before: 'b',
    get inner(): string {
      encoder.encode({ other: [1, 2, 3] });
      return decodeEncoded(encoder) === undefined ? '' : 'inner';
    },
    after: [1, 'x'],
  };
  t.strictSame(roundTrip(encoder, value), { before: 'b', inner: 'inner', after: [1, 'x'] });
});

t.test('a custom codec gets objects alone, and owns its errors', async (t) => {
  const custom = new ValueEncoder({
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()),
  });
  custom.encode({ a: 1 });
  t.equal(custom.kind, ValueKind.custom);
  t.equal(bytesOf(custom).toString(), '{"a":1}');
  custom.encode('text');
  t.equal(custom.kind, ValueKind.latin1);
  const wrong = new ValueEncoder({ encode: () => 'text' as unknown as Uint8Array, decode: () => 1 });
  t.throws(() => wrong.encode({}), { code: 'ERR_INVALID_VALUE' });
  const decode = (): never => {
    throw new Error('no');
  };
  const codec = { encode: () => new Uint8Array(1), decode };
  t.throws(() => decodeCopied(ValueKind.custom, Buffer.alloc(1), 1, codec), { message: 'no' });
});

t.test('levels: values of any depth come back', async (t) => {
  const nest = (levels: number, inner: unknown, wrap: (value: unknown) => unknown): unknown => {
    let value = inner;
    for (let i = 0; i < levels; i++) value = wrap(value);
    return value;
  };
  const wraps: ((value: unknown) => unknown)[] = [
    (value) => [value],
    (value) => ({ value }),
    (value) => new Map([[1, value]]),
    (value) => new Set([value]),
    (value) => Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${i}`, i === 7 ? value : i])),
    (value) => new Error('e', { cause: value }),
  ];
  for (const [i, wrap] of wraps.entries()) {
    for (const levels of [1, 63, 64, 65, 66, 498, 499, 500, 501, 2_000]) {
      const value = nest(levels, 'end', wrap);
      t.equal(levelsOf(roundTrip(encoder, value)), levels, `${i}, ${levels} levels`);
    }
  }
  class Node {
    next: unknown;
    constructor(next: unknown) {
      this.next = next;
    }
  }
  const nodes = roundTrip(
    encoder,
    nest(5_000, 'end', (value) => new Node(value)),
  );
  t.equal(levelsOf(nodes), 5_000);
  t.equal(Object.getPrototypeOf(nodes), Object.prototype);
});

/** Levels above 'end'. */
function levelsOf(value: unknown): number {
  let levels = 0;
  for (let each = value; typeof each === 'object' && each !== null; levels++) each = inner(each);
  return levels;
}

function inner(value: object): unknown {
  if (value instanceof Map) return value.get(1);
  if (value instanceof Set) return [...value][0];
  if (value instanceof Error) return value.cause;
  const { next, k7 } = value as { next?: unknown; k7?: unknown };
  return Array.isArray(value) ? value[0] : ((value as { value?: unknown }).value ?? next ?? k7);
}

t.test('detached memory is refused, wherever it is', async (t) => {
  const detached = (): ArrayBuffer => {
    const buffer = new ArrayBuffer(8);
    structuredClone(buffer, { transfer: [buffer] });
    return buffer;
  };
  const views = (): unknown[] => {
    const memory = new ArrayBuffer(8);
    const made = [Buffer.from(memory), new Uint8Array(memory), new DataView(memory)];
    structuredClone(memory, { transfer: [memory] });
    return [detached(), ...made];
  };
  for (const value of views()) {
    t.throws(() => encoder.encode(value), { code: 'ERR_INVALID_VALUE' });
    t.throws(() => encoder.encode({ list: [value] }), { code: 'ERR_INVALID_VALUE' });
  }
  for (const empty of [new ArrayBuffer(0), Buffer.alloc(0), new Uint8Array(0)])
    t.same(roundTrip(encoder, { empty }), { empty }, 'empty memory is not detached');
});

t.test('kinds of the language keep their class, cycles and shared references', async (t) => {
  const shared = { at: new Date(5), list: new Set([1, 'x', 5n]) };
  const value: Record<string, unknown> = {
    shared,
    again: [shared, shared.at],
    map: new Map<unknown, unknown>([[shared, 'as a key']]),
    invalid: new Date(Number.NaN),
    pattern: /a(b)?\/c/giu,
    big: -(2n ** 100n),
    bytes: Buffer.from('bytes'),
    floats: Float32Array.of(1.5, -0),
    memory: new Uint8Array([1, 2, 3]).buffer,
    sparse: Object.assign(new Array(3), { 0: 1, 2: 3 }),
    error: Object.assign(new RangeError('far', { cause: shared }), { ignored: true }),
    many: new AggregateError([new TypeError('t')], 'all'),
  };
  value.self = value;
  const got = roundTrip(encoder, value) as typeof value;
  t.equal(got.self, got);
  const again = got.again as unknown[];
  t.equal(again[0], got.shared);
  t.equal(again[1], (got.shared as typeof shared).at);
  t.equal([...(got.map as Map<unknown, unknown>).keys()][0], got.shared);
  t.ok(Buffer.isBuffer(got.bytes));
  t.ok(got.error instanceof RangeError && got.many instanceof AggregateError);
  t.equal((got.error as Error).cause, got.shared);
  t.equal((got.error as { ignored?: boolean }).ignored, undefined);
  t.equal((got.many as AggregateError).errors[0].message, 't');
  t.notOk(1 in (got.sparse as unknown[]));
  t.ok(Number.isNaN((got.invalid as Date).getTime()));
  for (const name of ['pattern', 'big', 'bytes', 'floats', 'memory', 'map']) t.strictSame(got[name], value[name], name);
});

t.test('large values: more than any scratch, and the scratch is small again afterwards', async (t) => {
  const map = new Map(Array.from({ length: 50_000 }, (_, i) => [`key ${i}`, { i, text: 'x'.repeat(i % 50) }]));
  t.strictSame(roundTrip(encoder, map), map);
  const wide = Array.from({ length: 5_000 }, (_, i) => `ü${String.fromCodePoint(0x1f600 + (i % 50))}`.repeat(i % 20));
  t.strictSame(roundTrip(encoder, { wide }), { wide });
  t.strictSame(roundTrip(encoder, { small: 1 }), { small: 1 });
});
