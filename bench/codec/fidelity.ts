/** What a value must still be after encoding and decoding, judged by structuredClone and by class. */
import { isDeepStrictEqual } from 'node:util';
import type { Rival } from './rivals.js';

interface Case {
  readonly name: string;
  readonly value: unknown;
  /** Where deep equality with structuredClone's result does not tell, or (Buffer) is not what is wanted. */
  holds?(got: unknown): boolean;
}

type Linked = { self?: unknown };
type Pair = { a: unknown; b: unknown };

const cycle: Linked = {};
cycle.self = cycle;
const shared = { x: 1 };
const memory = new ArrayBuffer(16);

export const CASES: readonly Case[] = [
  { name: 'NaN, -0, Infinity', value: [Number.NaN, -0, Number.POSITIVE_INFINITY] },
  { name: 'undefined, nested', value: { a: undefined, b: [undefined] } },
  { name: 'bigint', value: [1n, -(2n ** 100n)] },
  { name: 'lone surrogates', value: ['\ud800', 'a\udfff'] },
  { name: 'Date', value: new Date(12345) },
  {
    name: 'Date, invalid',
    value: new Date(Number.NaN),
    holds: (got) => got instanceof Date && Number.isNaN(got.getTime()),
  },
  { name: 'RegExp', value: /a+/giu },
  { name: 'Map and Set', value: new Map<unknown, unknown>([[1, new Set(['x'])]]) },
  { name: 'Error with cause', value: new TypeError('no', { cause: { why: 1 } }) },
  { name: 'typed array', value: { v: new Float32Array([1, 2.5]) } },
  {
    name: 'Buffer stays Buffer',
    value: { v: Buffer.from('abc') },
    holds: (got) => Buffer.isBuffer((got as { v: unknown }).v),
  },
  {
    name: 'views share their memory',
    value: { a: new Uint8Array(memory, 4), b: new Uint16Array(memory) },
    holds: (got) => shareMemory(got as Pair),
  },
  { name: 'cycle', value: cycle, holds: (got) => (got as Linked).self === got },
  { name: 'shared reference', value: { a: shared, b: shared }, holds: (got) => (got as Pair).a === (got as Pair).b },
  { name: 'sparse array', value: Object.assign(new Array(3), { 1: 'x' }) },
  { name: 'array with a property', value: Object.assign(['x'], { named: 1 }) },
  { name: '__proto__ as own key', value: JSON.parse('{"__proto__":{"x":1},"y":2}') },
  { name: 'integer-like keys', value: { b: 1, 2: 'x', 1: 'y' } },
];

/** The same memory, and no more than it was: two views on the encoded message share that too. */
function shareMemory({ a, b }: Pair): boolean {
  return ArrayBuffer.isView(a) && ArrayBuffer.isView(b) && a.buffer === b.buffer && a.buffer.byteLength === 16;
}

/** Whether the rival keeps the case as it should be kept. */
export function keeps(rival: Rival, { value, holds }: Case): boolean {
  try {
    const got = rival.decode(rival.encoded(value));
    return holds === undefined ? isDeepStrictEqual(got, structuredClone(value)) : holds(got);
  } catch {
    return false;
  }
}
