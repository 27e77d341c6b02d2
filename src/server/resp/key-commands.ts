/** DEL, TTL, SCAN and what else is about keys. */
import { type Client, type Command, integerOf } from './command.js';
import { globOf } from './glob.js';
import { array, bulk, integer, keyOf, keyReply, OK, RespError, syntaxError } from './reply.js';

/** Keys that one step of SCAN looks at. */
const MAX_SCAN_COUNT = 10_000;
/** Octets of a pattern. */
const MAX_PATTERN = 1_024;

export const KEY_COMMANDS: Readonly<Record<string, Command>> = {
  del: {
    arity: -2,
    run: ({ served }, args) => integer(served.cache.deleteMany(args.slice(1).map(keyOf))),
  },
  exists: {
    arity: -2,
    run({ served }, args) {
      const keys = args.slice(1).map(keyOf);
      return integer(keys.filter((key) => served.cache.has(key)).length);
    },
  },
  expire: { arity: -3, run: (client, args) => expire(client, args, 1_000) },
  pexpire: { arity: -3, run: (client, args) => expire(client, args, 1) },
  ttl: { arity: 2, run: (client, args) => timeLeft(client, args[1], 1_000) },
  pttl: { arity: 2, run: (client, args) => timeLeft(client, args[1], 1) },
  dbsize: { arity: 1, run: ({ served }) => integer(served.cache.size) },
  flushdb: {
    arity: -1,
    run({ served }, args) {
      if (args.length > 2 || (args.length === 2 && !/^(a?sync)$/i.test(args[1]))) throw syntaxError();
      served.cache.clear();
      return OK;
    },
  },
  scan: { arity: -2, run: scan },
};

function expire({ served: { cache } }: Client, args: readonly string[], unitMs: number): string {
  if (args.length > 3) throw new RespError(`ERR Unsupported option ${args[3].slice(0, 20)}`);
  const key = keyOf(args[1]);
  const ttl = integerOf(args[2]) * unitMs;
  if (!Number.isSafeInteger(ttl)) throw new RespError(`ERR invalid expire time in '${args[0].toLowerCase()}' command`);
  return integer(Number(ttl <= 0 ? cache.delete(key) : cache.touch(key, ttl)));
}

/** -2 for what is not there, -1 for what never expires. */
function timeLeft({ served: { cache } }: Client, octets: string, unitMs: number): string {
  const ms = cache.expiresIn(keyOf(octets));
  if (ms === undefined) return integer(-2);
  return integer(ms === Number.POSITIVE_INFINITY ? -1 : Math.round(ms / unitMs));
}

function scan({ served: { cache, scans } }: Client, args: readonly string[]): string {
  if (args.length % 2 === 1) throw syntaxError();
  let matches: (key: string) => boolean = () => true;
  let isOfType = true;
  let count = 10;
  for (let at = 2; at < args.length; at += 2) {
    const word = args[at].toLowerCase();
    const value = args[at + 1];
    if (word === 'match' && value.length <= MAX_PATTERN) matches = globOf(keyOf(value));
    else if (word === 'count' && integerOf(value) > 0) count = Math.min(integerOf(value), MAX_SCAN_COUNT);
    // Every value of the protocol's commands is a string.
    else if (word === 'type') isOfType = value.toLowerCase() === 'string';
    else throw syntaxError();
  }
  const { cursor, keys } = scans.step(cache, args[1], count);
  return array([bulk(cursor), array(keys.filter((key) => isOfType && matches(key)).map(keyReply))]);
}
