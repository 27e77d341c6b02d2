/** GET, SET and what else reads and writes values. */
import type { SharedCache } from '../../index.js';
import { type Client, type Command, integerOf } from './command.js';
import { array, integer, keyOf, nil, OK, RespError, storedOf, syntaxError, valueReply, wrongType } from './reply.js';

/** Attempts of a write that others overtook each time. */
const MAX_ATTEMPTS = 1_000;

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
    const stored =
      old === undefined ? cache.putIfAbsent(key, value, { ttl }) : cache.putIfVersion(key, value, old.version, { ttl });
    if (stored) return before;
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

/** A string of digits, which SET stores, becomes a number. TTL and tags stay: the cache's own increment takes numbers only. */
function increment({ served: { cache } }: Client, octets: string, by: number): string {
  const key = keyOf(octets);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const old = cache.entry(key);
    const next = numberOf(old?.value) + by;
    if (!Number.isSafeInteger(next)) throw new RespError('ERR increment or decrement would overflow');
    if (old === undefined ? cache.putIfAbsent(key, next) : cache.putIfVersion(key, next, old.version, keeping(old)))
      return integer(next);
  }
  throw notStored();
}

const keeping = ({ expiresIn, tags }: { expiresIn: number; tags: string[] }): { ttl: number; tags: string[] } => ({
  ttl: expiresIn,
  tags,
});

function numberOf(value: unknown): number {
  if (value === undefined) return 0;
  if (typeof value === 'string') return integerOf(value);
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
