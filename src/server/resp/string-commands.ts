/** GET, SET and what else reads and writes values. */
import { type Entry, type PutOptions, type SharedCache, SharedCacheError } from '../../index.js';
import { octetsOf } from '../octets.js';
import { type Client, type Command, integerOf } from './command.js';
import { array, integer, keyOf, nil, OK, RespError, storedOf, syntaxError, valueReply, wrongType } from './reply.js';

/** Attempts of a write that others overtook each time. */
const MAX_ATTEMPTS = 1_000;
/**
 * What is added to in place, and how much at once: were every thread there is to add at the same moment, the sum would still
 * be a safe integer.
 */
const MAX_IN_PLACE = 2 ** 50;
const MAX_STEP_IN_PLACE = 2 ** 40;
/** Of octets more than any number has: no number begins with so many. */
const MAX_DIGITS = 20;

export const STRING_COMMANDS: Readonly<Record<string, Command>> = {
  get: {
    arity: 2,
    run({ served, protocol }, args) {
      const value = served.cache.get(keyOf(args[1]));
      return value === undefined ? nil(protocol) : replyOf(value);
    },
  },
  set: { arity: -3, run: set },
  mget: { arity: -2, run: mget },
  mset: { arity: -3, run: mset },
  incr: { arity: 2, run: (client, args) => increment(client, args[1], 1) },
  decr: { arity: 2, run: (client, args) => increment(client, args[1], -1) },
  incrby: { arity: 3, run: (client, args) => increment(client, args[1], integerOf(args[2])) },
  decrby: { arity: 3, run: (client, args) => increment(client, args[1], -integerOf(args[2])) },
};

function replyOf(value: unknown): string {
  const reply = valueReply(value);
  if (reply === undefined) throw wrongType();
  return reply;
}

/** As Redis does, nil for a value of another kind. */
function mget({ served, protocol }: Client, args: readonly string[]): string {
  const replies: string[] = [];
  let bytes = 0;
  // In groups: the values of all keys together may be more than there is memory.
  for (let at = 1; at < args.length; at += 64) {
    for (const value of served.cache.getMany(args.slice(at, at + 64).map(keyOf))) {
      const reply = (value === undefined ? undefined : valueReply(value)) ?? nil(protocol);
      bytes += reply.length;
      if (bytes > served.maxReplyBytes) throw new RespError('ERR the reply would be too long; ask for fewer keys');
      replies.push(reply);
    }
  }
  return array(replies);
}

function mset({ served }: Client, args: readonly string[]): string {
  if (args.length % 2 === 0) throw new RespError("ERR wrong number of arguments for 'mset' command");
  const entries: [string, string | Buffer][] = [];
  for (let at = 1; at < args.length; at += 2) entries.push(entryOf(served.cache, args[at], args[at + 1]));
  if (served.cache.putMany(entries) < new Set(entries.map(([key]) => key)).size) throw notStored();
  return OK;
}

interface SetOptions {
  ttl?: number | undefined;
  keepTtl?: boolean;
  only?: 'nx' | 'xx';
  get?: boolean;
}

function set({ served: { cache }, protocol }: Client, args: readonly string[]): string {
  const [key, value] = entryOf(cache, args[1], args[2]);
  if (args.length === 3) {
    if (!cache.put(key, value)) throw notStored();
    return OK;
  }
  const options = setOptionsOf(args);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const old = cache.entry(key);
    const before = !options.get ? OK : old === undefined ? nil(protocol) : replyOf(old.value);
    if ((old === undefined) === (options.only === 'xx') && options.only !== undefined)
      return options.get ? before : nil(protocol);
    const ttl = options.keepTtl ? old?.expiresIn : options.ttl;
    if (storeOver(cache, key, value, old, { ttl })) return before;
  }
  throw notStored();
}

function setOptionsOf(args: readonly string[]): SetOptions {
  const options: SetOptions = {};
  const once = (isFree: boolean): void => {
    if (!isFree) throw syntaxError();
  };
  for (let at = 3; at < args.length; at++) {
    const word = args[at].toLowerCase();
    if (word === 'nx' || word === 'xx') {
      once(options.only === undefined);
      options.only = word;
    } else if (word === 'get') {
      options.get = true;
    } else if (word === 'keepttl') {
      once(options.ttl === undefined);
      options.keepTtl = true;
    } else if ((word === 'ex' || word === 'px') && at + 1 < args.length) {
      once(options.ttl === undefined && !options.keepTtl);
      options.ttl = integerOf(args[++at]) * (word === 'ex' ? 1_000 : 1);
      if (!(options.ttl > 0 && Number.isSafeInteger(options.ttl)))
        throw new RespError("ERR invalid expire time in 'set' command");
    } else {
      throw syntaxError();
    }
  }
  return options;
}

/**
 * A small number is added to in place. Anything else, a string of digits as SET stores them first of all, is replaced by the
 * sum, with the TTL and the tags it had.
 */
function increment({ served: { cache } }: Client, octets: string, by: number): string {
  const key = keyOf(octets);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const sum = isInPlace(cache.peek(key), by) ? incrementInPlace(cache, key, by) : replaceBySum(cache, key, by);
    if (sum !== undefined) return integer(sum);
  }
  throw notStored();
}

const isInPlace = (value: unknown, by: number): boolean =>
  (value === undefined || (Number.isInteger(value) && Math.abs(value as number) < MAX_IN_PLACE)) &&
  Math.abs(by) <= MAX_STEP_IN_PLACE;

/** The sum; undefined when another thread has stored something else there meanwhile. */
function incrementInPlace(cache: SharedCache<unknown>, key: string, by: number): number | undefined {
  try {
    return cache.increment(key, by);
  } catch (error) {
    if (error instanceof SharedCacheError && error.code === 'ERR_INVALID_VALUE') return undefined;
    throw error;
  }
}

/** The sum; undefined when another thread was quicker. */
function replaceBySum(cache: SharedCache<unknown>, key: string, by: number): number | undefined {
  const old = cache.entry(key);
  const sum = numberOf(old?.value) + by;
  if (!Number.isSafeInteger(sum)) throw new RespError('ERR increment or decrement would overflow');
  return storeOver(cache, key, sum, old, { ttl: old?.expiresIn, tags: old?.tags }) ? sum : undefined;
}

/** Stores the value if the entry is still the one that was read. */
function storeOver(
  cache: SharedCache<unknown>,
  key: string,
  value: unknown,
  old: Entry<unknown> | undefined,
  options: PutOptions,
): boolean {
  return old === undefined
    ? cache.putIfAbsent(key, value, options)
    : cache.putIfVersion(key, value, old.version, options);
}

function numberOf(value: unknown): number {
  if (value === undefined) return 0;
  if (typeof value === 'string') return integerOf(value);
  const octets = octetsOf(value);
  if (octets !== undefined) return integerOf(octets.toString('latin1', 0, MAX_DIGITS));
  if (typeof value !== 'number') throw wrongType();
  if (!Number.isSafeInteger(value)) throw new RespError('ERR value is not an integer or out of range');
  return value;
}

/** Refused before anything is changed when it can never be stored. */
function entryOf(cache: SharedCache<unknown>, key: string, value: string): [string, string | Buffer] {
  if (key.length + value.length > cache.maxEntryBytes)
    throw new RespError(`ERR key and value must be no more than ${cache.maxEntryBytes} bytes together`);
  return [keyOf(key), storedOf(value)];
}

const notStored = (): RespError => new RespError('ERR the cache could not store it now');
