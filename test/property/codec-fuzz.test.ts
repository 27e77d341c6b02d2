/** Bytes that no encoder wrote end in a value or in ERR_CORRUPTED, quickly; the process lives. */
import fc from 'fast-check';
import t from 'tap';
import { decodeKey, KeyEncoder } from '../../src/codec/key.js';
import { ValueKind } from '../../src/codec/kinds.js';
import { decodeCopied, decodeFrozen, ValueEncoder } from '../../src/codec/value.js';
import { SharedCacheError } from '../../src/errors.js';
import { bytesOf } from '../unit/value-round-trip.js';

const seed = Number(process.env.SEED ?? Date.now() & 0x7fffffff);
console.log(`SEED=${seed}`);
/** With BUG=no-refusals every refusal counts as a failure, which shows that refusals do happen. */
const refusalsFail = process.env.BUG === 'no-refusals';
let refusals = 0;

function isHandled(decode: () => unknown): boolean {
  const start = performance.now();
  try {
    decode();
  } catch (error) {
    refusals++;
    if (refusalsFail || !(error instanceof SharedCacheError) || error.code !== 'ERR_CORRUPTED') throw error;
  }
  return performance.now() - start < 2000;
}

type ResizableConstructor = new (length: number, options: { maxByteLength: number }) => ArrayBuffer;
const memory = new ArrayBuffer(16);
const shared: Record<string, unknown> = { a: new Uint16Array(memory, 4, 2), b: new DataView(memory), memory };
shared.self = shared;

/** 70 levels: more than the recursion goes. */
function deep(end: unknown): unknown {
  let value = end;
  for (let level = 0; level < 70; level++) value = level % 2 === 0 ? [value, value] : { value };
  return value;
}

const kinds = [...Array.from({ length: 33 }, (_, kind) => kind), 255].filter((kind) => kind !== ValueKind.latin1);

t.test('random bytes under every kind', async () => {
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.uint8Array({ maxLength: 200 }), (kind, bytes) => {
      const copy = Buffer.allocUnsafeSlow(bytes.length);
      copy.set(bytes);
      return isHandled(() => decodeCopied(kind, copy, copy.length, undefined));
    }),
    { seed, numRuns: 20_000 },
  );
});

t.test('encoded values with some bytes changed or cut off', async () => {
  const encoder = new ValueEncoder();
  const seeds = [
    { id: 12345, name: 'Ada', email: 'ada@example.org', tags: ['a', 'b', 1.5, null, undefined] },
    Array.from({ length: 20 }, (_, i) => ({ i, text: `日${i}` })),
    Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`key${i}`, i])),
    {
      when: new Date(0),
      map: new Map([[1, new Set([/x/g])]]),
      bytes: new Uint8Array(memory, 4, 4),
      buffer: Buffer.from('abc'),
    },
    new Error('e', { cause: [1n, 2n ** 70n] }),
    { list: [new AggregateError([new RangeError('r')], 'all'), new Number(1), Object(2n), new String('s')] },
    Object.assign(new Array(70_000), { 5: 'a hole before', name: 'n' }),
    { resizable: new (ArrayBuffer as ResizableConstructor)(8, { maxByteLength: 64 }), long: 'x'.repeat(20_000) },
    shared,
    deep([1, new Map([['a', new Date(0)]])]),
    deep({ plain: 1 }),
    12345678901234567890n,
  ].map((value) => {
    encoder.encode(value);
    return { kind: encoder.kind, bytes: bytesOf(encoder) };
  });
  const change = fc.record({ at: fc.nat(), to: fc.nat(255) });
  fc.assert(
    fc.property(
      fc.constantFrom(...seeds),
      fc.array(change, { maxLength: 6 }),
      fc.nat(8),
      ({ kind, bytes }, changes, cut) => {
        const copy = Buffer.allocUnsafeSlow(Math.max(0, bytes.length - cut));
        bytes.copy(copy);
        for (const { at, to } of changes) copy[at % copy.length] = to;
        return (
          isHandled(() => decodeFrozen(kind, copy, copy.length, undefined)) &&
          isHandled(() => decodeCopied(kind, copy, copy.length, undefined))
        );
      },
    ),
    { seed, numRuns: 30_000 },
  );
});

t.test('random bytes as a key', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) =>
      isHandled(() => decodeKey(Buffer.from(bytes), 0, bytes.length)),
    ),
    { seed, numRuns: 20_000 },
  );
  t.ok(refusals > 1000, `${refusals} refusals`);
});

t.test('chosen keys do not collide under a seed they were not chosen for', async (t) => {
  // Keys that all fall in one of 4,096 buckets under one seed, as an attacker who knew that seed would pick them.
  const buckets = 4096;
  const bucketOf = (encoder: KeyEncoder, key: string): number => {
    encoder.encode(key);
    return encoder.hash & (buckets - 1);
  };
  const known = new KeyEncoder(seed, seed ^ 0x5bd1e995);
  const chosen: string[] = [];
  for (let i = 0; chosen.length < 512; i++) if (bucketOf(known, `k${i}`) === 0) chosen.push(`k${i}`);
  const other = new KeyEncoder(seed ^ 1, seed ^ 0x5bd1e995);
  const counts = new Map<number, number>();
  for (const key of chosen) counts.set(bucketOf(other, key), (counts.get(bucketOf(other, key)) ?? 0) + 1);
  t.equal(chosen.length, 512);
  t.ok(Math.max(...counts.values()) <= 8, `at most ${Math.max(...counts.values())} of 512 keys share a bucket`);
});
