import { octetsOf } from '../octets.js';

/** Replies, as strings of one character for each octet. What differs between the protocols 2 and 3 takes the number. */
export type Protocol = 2 | 3;

export const OK = '+OK\r\n';
export const nil = (protocol: Protocol): string => (protocol === 3 ? '_\r\n' : '$-1\r\n');
export const integer = (value: number): string => `:${value}\r\n`;
export const bulk = (octets: string): string => `$${octets.length}\r\n${octets}\r\n`;
export const array = (replies: readonly string[]): string => `*${replies.length}\r\n${replies.join('')}`;
/** Pairs: a map where there are maps. */
export const map = (pairs: readonly string[], protocol: Protocol): string =>
  protocol === 3 ? `%${pairs.length / 2}\r\n${pairs.join('')}` : array(pairs);

/** A refusal that the client is told of. */
export class RespError extends Error {}

/** `ERR …` and the like, on one line. */
export const errorReply = (message: string): string =>
  `-${latin1Of(message.replace(/[\r\n]+/g, ' ').slice(0, 500))}\r\n`;

export const wrongType = (): RespError =>
  new RespError('WRONGTYPE Operation against a key holding the wrong kind of value');
export const syntaxError = (): RespError => new RespError('ERR syntax error');

/** What the protocol's octets and UTF-8 have in common. */
const ASCII = /^[\0-\x7f]*$/;
/** Longest text that a loop looks through sooner than a regular expression has begun. */
const LOOP_LENGTH = 32;

function isAscii(text: string): boolean {
  if (text.length > LOOP_LENGTH) return ASCII.test(text);
  let seen = 0;
  for (let i = 0; i < text.length; i++) seen |= text.charCodeAt(i);
  return seen < 128;
}

const latin1Of = (text: string): string => (isAscii(text) ? text : Buffer.from(text).toString('latin1'));

/** A stored value as a bulk string; undefined for one that is neither a string, a number nor binary. */
export function valueReply(value: unknown): string | undefined {
  if (typeof value === 'string') return bulk(latin1Of(value));
  if (typeof value === 'number') return bulk(`${value}`);
  const octets = octetsOf(value);
  return octets === undefined ? undefined : bulk(octets.toString('latin1'));
}

export const keyReply = (key: string): string => bulk(latin1Of(key));

/** What is UTF-8 is stored as a string, which gives the same octets again; what is not as a Buffer. */
export function storedOf(octets: string): string | Buffer {
  if (isAscii(octets)) return octets;
  const bytes = Buffer.from(octets, 'latin1');
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : bytes;
}

/** Keys are strings, so they must be UTF-8. */
export function keyOf(octets: string): string {
  const key = storedOf(octets);
  if (typeof key !== 'string') throw new RespError('ERR a key must be UTF-8');
  return key;
}
