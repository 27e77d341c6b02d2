import { octetsOf } from '../octets.js';
import { Problem } from './problem.js';

/** A value as octets, and what they are. */
export interface Representation {
  readonly contentType: string;
  readonly octets: Buffer;
}

/**
 * Binary data is answered as it is, a string as UTF-8, and a number, a boolean, null, a plain object or an array as JSON.
 * Throws 406 for what JSON would lose: a Map, a bigint, NaN, a cycle.
 */
export function representationOf(value: unknown): Representation {
  const octets = octetsOf(value);
  if (octets !== undefined) return { contentType: 'application/octet-stream', octets };
  if (typeof value === 'string') return { contentType: 'text/plain; charset=utf-8', octets: Buffer.from(value) };
  return { contentType: 'application/json', octets: Buffer.from(jsonOf(value)) };
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value, (_, part: unknown) => {
      if (!isJson(part)) throw notAcceptable();
      return part;
    });
  } catch {
    // A cycle, or more levels than the stack has.
    throw notAcceptable();
  }
}

/** Whether JSON keeps it. Dates, and Buffers inside of objects, were turned into what they are in JSON before. */
function isJson(part: unknown): boolean {
  if (typeof part === 'number') return Number.isFinite(part);
  if (typeof part !== 'object' || part === null) return typeof part !== 'bigint';
  if (Array.isArray(part)) return true;
  const prototype: unknown = Object.getPrototypeOf(part);
  return prototype === Object.prototype || prototype === null;
}

const notAcceptable = (): Problem =>
  new Problem(
    406,
    'ERR_NOT_ACCEPTABLE',
    'a program stored a value here that has no form in HTTP: neither binary data, text, nor JSON',
  );
