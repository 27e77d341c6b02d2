/** What objects are kept as, which are refused, and what happens when the program's code runs in the middle. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { runInNewContext } from 'node:vm';
import { MessageChannel, Worker } from 'node:worker_threads';
import t from 'tap';
import { ValueKind } from '../../src/codec/kinds.js';
import { canFreeze, decodeFrozen, ValueEncoder } from '../../src/codec/value.js';
import { withCache } from '../fixtures/with-cache.js';
import { bytesOf, roundTrip } from './value-round-trip.js';

const encoder = new ValueEncoder();

t.test('views share their memory as they did, also in cycles', async (t) => {
  const memory = new ArrayBuffer(16);
  const value: Record<string, unknown> = { part: new Uint16Array(memory, 4, 2), all: new DataView(memory), memory };
  value.self = value;
  value.map = new Map([[value.part, value]]);
  const got = roundTrip(encoder, value) as { part: Uint16Array; all: DataView; memory: ArrayBuffer } & typeof value;
  got.all.setUint16(4, 7, true);
  t.equal(got.part[0], 7);
  t.equal(got.part.buffer, got.memory);
  t.equal(got.memory.byteLength, 16);
  t.equal(got.self, got);
  t.equal((got.map as Map<unknown, unknown>).get(got.part), got);
});

t.test('arrays with names and holes keep them, and their cycles', async (t) => {
  const match = /b(?<c>c)/.exec('abc') as RegExpExecArray;
  t.strictSame({ ...(roundTrip(encoder, [match]) as RegExpExecArray[])[0] }, { ...match, groups: { c: 'c' } });
  const named: unknown[] & { root?: unknown } = [1];
  const root = { named };
  named.root = root;
  const got = roundTrip(encoder, root) as typeof root;
  t.equal(got.named.root, got);
  for (const length of [3, 5_000, 100_000, 2 ** 32 - 1]) {
    const sparse: unknown[] = [];
    sparse.length = length;
    sparse[1] = 'x';
    const back = roundTrip(encoder, { sparse }) as { sparse: unknown[] };
    t.equal(back.sparse.length, length);
    t.same(Object.keys(back.sparse), ['1']);
  }
});

t.test('long strings, large bigints and many elements, nested', async (t) => {
  for (const unit of ['a', 'é', '日']) {
    const value = { long: unit.repeat(9_000_000), after: 'x' };
    const got = roundTrip(encoder, value) as typeof value;
    t.ok(got.long === value.long && got.after === 'x', `9,000,000 x ${unit}`);
  }
  const big = 3n ** 30_000n;
  t.ok((roundTrip(encoder, [big, -big]) as bigint[])[1] === -big);
});

t.test('errors keep class, name, message, stack, cause and errors', async (t) => {
  class HttpError extends TypeError {
    override name = 'HttpError';
    status = 500;
  }
  const http = roundTrip(encoder, new HttpError('no', { cause: [1] })) as HttpError;
  t.ok(http instanceof TypeError);
  t.match(http, { name: 'HttpError', message: 'no', cause: [1] });
  t.match(http.stack, /value-objects/);
  t.same(Object.keys(http), [], 'nothing of it is enumerable');
  const abort = roundTrip(encoder, new DOMException('stop', 'AbortError')) as Error;
  t.match(abort, { name: 'AbortError', message: 'stop' });
  const circle = new Error('circle');
  circle.cause = { circle };
  const got = roundTrip(encoder, circle) as { cause: { circle: unknown } };
  t.equal(got.cause.circle, got);
  const bare = new Error();
  delete bare.stack;
  t.same(Object.getOwnPropertyNames(roundTrip(encoder, bare)), []);
});

t.test('objects of another realm come back in this one', async (t) => {
  const foreign = runInNewContext(
    '({ date: new Date(5), map: new Map([[1, { a: [1] }]]), set: new Set([1]), regexp: /x/g, error: new RangeError("r"), floats: new Float32Array([1.5]), boxed: new Number(1) })',
  );
  const got = roundTrip(encoder, foreign) as Record<string, unknown>;
  for (const [name, type] of Object.entries({ date: Date, map: Map, set: Set, regexp: RegExp, error: RangeError }))
    t.ok(got[name] instanceof type, name);
  t.ok(got.floats instanceof Float32Array && got.boxed instanceof Number);
  const inner = (got.map as Map<number, { a: unknown }>).get(1);
  t.equal(Object.getPrototypeOf(inner), Object.prototype);
  t.equal(Object.getPrototypeOf(inner?.a), Array.prototype);
});

t.test('objects whose data are not their properties are refused, also nested and as subclasses', async (t) => {
  const file = await open('/dev/null');
  class Tagged extends URL {
    own = 1;
  }
  class Secret {
    readonly #value = 1;
    get value(): number {
      return this.#value;
    }
  }
  const { port1, port2 } = new MessageChannel();
  const hidden: Record<string, object> = {
    headers: new Headers(),
    request: new Request('http://localhost/'),
    response: new Response(),
    form: new FormData(),
    blob: new Blob(['x']),
    event: new Event('x'),
    stream: new ReadableStream(),
    decoder: new TextDecoder(),
    dates: new Intl.DateTimeFormat(),
    iterator: [1].values(),
    generator: (function* () {})(),
    promise: Promise.resolve(),
    weak: new WeakSet(),
    subclass: new Tagged('http://localhost/'),
    secret: new Secret(),
    symbol: Object(Symbol('s')),
    socket: new Socket(),
    pipe: new PassThrough(),
    hash: createHash('sha1'),
    file,
    port: port1,
  };
  for (const [name, value] of Object.entries(hidden)) {
    t.throws(() => encoder.encode(value), { code: 'ERR_INVALID_VALUE' }, name);
    t.throws(() => encoder.encode([{ value }]), { code: 'ERR_INVALID_VALUE' }, `${name}, nested`);
  }
  t.throws(() => encoder.encode(new Tagged('http://localhost/')), { message: /of class Tagged/ });
  await file.close();
  port1.close();
  port2.close();
});

t.test('instances of classes with properties come back as plain objects', async (t) => {
  class Point {
    x = 1;
    get [Symbol.toStringTag](): string {
      throw new Error('nobody asks');
    }
    norm(): number {
      return this.x;
    }
  }
  class Nothing {}
  for (const value of [
    new Point(),
    new Nothing(),
    Object.create({ inherited: 1 }, { x: { value: 1, enumerable: true } }),
  ]) {
    const got = roundTrip(encoder, value) as object;
    t.equal(Object.getPrototypeOf(got), Object.prototype);
    t.same(Object.entries(got), Object.entries(value));
  }
  t.ok((roundTrip(encoder, process.env) as NodeJS.ProcessEnv).PATH !== undefined);
  t.ok(roundTrip(encoder, Object.setPrototypeOf(new Map([[1, 2]]), null)) instanceof Map);
});

t.test('a Proxy is refused before it is asked anything, revoked or not, and goes to a codec', async (t) => {
  const asked = (): never => {
    throw new Error('asked');
  };
  const trapped = new Proxy({}, { get: asked, getPrototypeOf: asked, ownKeys: asked });
  const revoked = Proxy.revocable([], {});
  revoked.revoke();
  const cache = withCache(t);
  for (const proxy of [trapped, revoked.proxy, [trapped], { revoked: revoked.proxy }]) {
    t.throws(() => cache.put('k', proxy), { code: 'ERR_INVALID_VALUE' });
    t.throws(() => cache.put(proxy as unknown as string, 1), { code: 'ERR_INVALID_KEY' });
    t.throws(() => cache.get(proxy as unknown as string), { code: 'ERR_INVALID_KEY' });
  }
  const encode = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
  const custom = new ValueEncoder({ encode, decode: (bytes) => bytes });
  custom.encode(new Proxy({ a: 1 }, {}));
  t.equal(bytesOf(custom).toString(), '{"a":1}');
  t.throws(() => custom.encode(trapped), { message: 'asked' });
});

t.test('what the program throws in the middle comes through, and leaves nothing behind', async (t) => {
  const cache = withCache(t);
  cache.put('k', { old: [1] });
  for (const own of [new Error('mine'), 'a string', undefined, Object.freeze({ code: 'ERR_CORRUPTED' })]) {
    const value = {
      first: { a: [1, 2] },
      get broken(): never {
        throw own;
      },
    };
    let thrown: unknown = 'nothing';
    try {
      cache.put('k', value);
    } catch (error) {
      thrown = error;
    }
    t.equal(thrown, own);
    t.same(cache.get('k'), { old: [1] });
    t.same(roundTrip(encoder, value.first), value.first);
  }
  const codec = {
    encode: () => new Uint8Array(1),
    decode: (): never => {
      throw own;
    },
  };
  const own = new RangeError('mine');
  const unreadable = withCache(t, { codec });
  unreadable.put('object', {});
  unreadable.put('text', 'readable');
  t.throws(() => unreadable.get('object'), own);
  t.same([...unreadable], [['text', 'readable']], 'an iteration goes on');
});

t.test('getters that store, read and fail, levels deep', async (t) => {
  const cache = withCache(t);
  const nest = (level: number): object => ({
    before: [level],
    get inner(): unknown {
      if (level === 0) return 'end';
      cache.put(`level ${level}`, nest(level - 1));
      t.throws(() => cache.put('never', [() => 1]), { code: 'ERR_INVALID_VALUE' });
      return cache.get(`level ${level}`);
    },
    after: new Map([[level, new Date(level)]]),
  });
  cache.put('top', nest(20));
  let each = cache.get('top') as { before: number[]; inner: unknown; after: Map<number, Date> };
  for (let level = 20; level > 0; level--) {
    t.same(each.before, [level]);
    t.same(each.after.get(level), new Date(level));
    each = each.inner as typeof each;
  }
  t.equal(each.inner, 'end');
});

t.test('plain values are frozen to the last object, others are copies', async (t) => {
  const frozen = (value: unknown): unknown => {
    encoder.encode(value);
    const { kind, lengthBytes } = encoder;
    return decodeFrozen(kind, bytesOf(encoder), lengthBytes, undefined);
  };
  const circle: Record<string, unknown> = {
    list: [{ a: 1n }, [null, undefined]],
    many: { ...new Array(40).fill({ x: 1 }) },
  };
  circle.self = circle;
  let deep: unknown = { end: [1] };
  for (let level = 0; level < 300; level++) deep = level % 2 === 0 ? [deep] : { deep };
  for (const value of [circle, deep, [], {}, [[new Array(3)]]]) {
    encoder.encode(value);
    t.ok(canFreeze(encoder.kind));
    const seen = new Set<object>();
    const open: object[] = [frozen(value) as object];
    for (const each of open) {
      if (seen.has(each)) continue;
      seen.add(each);
      if (!Object.isFrozen(each)) t.fail('something can be changed');
      open.push(...Object.values(each).filter((inner) => typeof inner === 'object' && inner !== null));
    }
  }
  for (const value of [{ at: new Date(0) }, [new Map()], new Set([{}]), { e: new Error('e') }, [Buffer.from('b')]]) {
    encoder.encode(value);
    t.equal(encoder.kind, ValueKind.rich);
    t.notOk(canFreeze(encoder.kind));
    t.notOk(Object.isFrozen(frozen(value)));
  }
});

t.test('deep values can be read by a thread with a small stack', async (t) => {
  const cache = withCache(t, { maxBytes: '16MB' });
  const wraps: ((value: unknown) => unknown)[] = [
    (v) => [v],
    (v) => ({ v }),
    (v) => new Map([[v, v]]),
    (v) => new Set([v]),
  ];
  for (const [i, wrap] of wraps.entries()) {
    let value: unknown = 'end';
    for (let level = 0; level < 10_000; level++) value = wrap(value);
    t.ok(cache.put(`${i}`, value));
  }
  const module = JSON.stringify(import.meta.resolve('mooncake-cache'));
  const script = `const { parentPort, workerData } = require('node:worker_threads');
import(${module}).then(({ SharedCache }) => {
  const cache = SharedCache.attach(workerData);
  const values = [0, 1, 2, 3].map((i) => cache.get(String(i)));
  values.forEach((value, i) => cache.put('copy ' + i, value));
  parentPort.postMessage(values.map((value) => value.constructor.name));
  cache.close();
});`;
  const worker = new Worker(script, {
    eval: true,
    execArgv: [],
    workerData: cache.handle,
    resourceLimits: { stackSizeMb: 0.35 },
  });
  const [message] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  t.same(message, [['Array', 'Object', 'Map', 'Set']]);
  t.ok(cache.has('copy 3'));
});

t.test('setters under indices keep no element from being read', async (t) => {
  const values = [[1, [2]], Array.from({ length: 2_000 }, (_, i) => i), { 0: 'a', 7: 'b' }, new Map([[0, [1]]])];
  const texts = values.map((value) => JSON.stringify([...Object.entries(value)]));
  const prototypes = [Object.prototype, Array.prototype] as unknown as Record<number, unknown>[];
  const set = (): never => {
    throw new Error('a setter was called');
  };
  const got: unknown[] = [undefined, undefined, undefined, undefined];
  let failure: unknown;
  for (const prototype of prototypes)
    for (const index of [0, 1, 7])
      Object.defineProperty(prototype, index, { configurable: true, get: () => 'inherited', set });
  try {
    for (let i = 0; i < values.length; i++) got[i] = roundTrip(encoder, values[i]);
  } catch (error) {
    failure = error;
  } finally {
    for (const prototype of prototypes) for (const index of [0, 1, 7]) delete prototype[index];
  }
  t.equal(failure, undefined);
  t.same(
    got.map((value) => JSON.stringify([...Object.entries(value as object)])),
    texts,
  );
});
