import { inspect, types } from 'node:util';

/** A value as `get --json` shows it; `value` is to be read as `encoding` says. */
export interface ShownValue {
  /** What it is: `string`, `number`, `bigint`, `boolean`, `null`; of objects the class, such as `Object`, `Map` or `Buffer`. */
  readonly type: string;
  /** `json`: the value itself. `base64`: its octets. `text`: as Node shows it, since JSON would lose something. */
  readonly encoding: 'json' | 'base64' | 'text';
  readonly value: unknown;
}

/** Deeper ones are shown as text: so are cycles, which have no end. */
const MAX_JSON_DEPTH = 500;

/** For a program that reads it. */
export function shownValue(value: unknown): ShownValue {
  const type = typeOf(value);
  const octets = octetsOf(value);
  if (octets !== undefined) return { type, encoding: 'base64', value: octets.toString('base64') };
  return isJson(value) ? { type, encoding: 'json', value } : { type, encoding: 'text', value: textOf(value) };
}

/** For somebody who reads it, or a pipe: strings and octets as they are. */
export function printedValue(value: unknown): string | Buffer {
  if (typeof value === 'string') return `${value}\n`;
  return octetsOf(value) ?? `${isJson(value) ? JSON.stringify(value) : textOf(value)}\n`;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  return Buffer.isBuffer(value) ? 'Buffer' : Object.prototype.toString.call(value).slice(8, -1);
}

function octetsOf(value: unknown): Buffer | undefined {
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return types.isArrayBuffer(value) ? Buffer.from(value) : undefined;
}

/** The whole of it, however long. */
const textOf = (value: unknown): string =>
  inspect(value, { depth: null, maxArrayLength: null, maxStringLength: null, breakLength: Number.POSITIVE_INFINITY });

/** Whether JSON gives back the same: no NaN, no -0, no undefined, no hole of an array, no class. */
function isJson(value: unknown, depth = 0): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== 'object' || depth === MAX_JSON_DEPTH) return false;
  const members = Object.values(value);
  if (Array.isArray(value)) {
    if (members.length !== value.length) return false;
  } else if (Object.getPrototypeOf(value) !== Object.prototype) {
    return false;
  }
  return members.every((member) => isJson(member, depth + 1));
}
