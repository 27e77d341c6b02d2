import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { SharedCache, type SnapshotOptions } from '../index.js';
import { createServer } from '../server/index.js';
import { Progress } from './progress.js';
import { top } from './top.js';
import { UsageError } from './usage.js';

/** What the command line said. */
export interface Call {
  readonly words: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
}

/** Something that is so and makes the exit code 1; the message is one line. */
export class Failure extends Error {}

type Cache = SharedCache<unknown>;

/** Runs a command; the exit code. */
export async function runCommand(name: string, call: Call): Promise<number> {
  if (name === 'serve') return serve(call);
  const cache = openThere(call.words[0]);
  try {
    return await onCache(name, cache, call);
  } finally {
    cache.close();
  }
}

async function onCache(name: string, cache: Cache, { words, values }: Call): Promise<number> {
  const [, word] = words;
  const isJson = values.json === true;
  switch (name) {
    case 'stats':
      report({ ...cache.getStats() }, isJson);
      return 0;
    case 'top': {
      const { interval, count } = values as Record<string, string | undefined>;
      await top(words[0], cache, { interval, count, isJson });
      return 0;
    }
    case 'keys':
      return printKeys(cache, values, isJson);
    case 'get':
      return printValue(cache, word, isJson);
    case 'delete': {
      const deleted = cache.delete(word);
      report({ deleted }, isJson);
      return deleted ? 0 : 1;
    }
    case 'clear':
      cache.clear();
      report({ cleared: true }, isJson);
      return 0;
    case 'inspect': {
      const { ok, problems } = cache.inspect();
      report({ ok, problems }, isJson);
      return ok ? 0 : 1;
    }
    case 'dump':
      report({ ...(await showing('dump', (options) => cache.dump(word, options))) }, isJson);
      return 0;
    default: {
      const loaded = await showing('load', (options) => cache.load(word, options));
      report({ ...loaded }, isJson);
      return loaded.damaged === undefined ? 0 : 1;
    }
  }
}

/** Shows on stderr how far the work has come, if it takes long. */
async function showing<T>(what: string, work: (options: SnapshotOptions) => Promise<T>): Promise<T> {
  const progress = new Progress(what, process.stderr);
  try {
    return await work({ onProgress: progress.onProgress });
  } finally {
    progress.stop();
  }
}

/** Who only looks makes no cache, and discards none. */
const openThere = (path: string): Cache => SharedCache.open<unknown>(path, { mustExist: true });

function printKeys(cache: Cache, { prefix = '', limit }: Call['values'], isJson: boolean): number {
  const most = limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
  if (!(most >= 0)) throw new UsageError('--limit must be a number');
  let printed = 0;
  for (const key of cache.keys()) {
    if (printed >= most) break;
    if (!key.startsWith(`${prefix}`)) continue;
    // A key may hold a line's end, or what a terminal would obey.
    print(isJson || /\p{Cc}/u.test(key) ? JSON.stringify(key) : key);
    printed++;
  }
  return 0;
}

/** Strings and octets as they are; the rest as JSON, or as Node shows it where JSON would lose something. */
function printValue(cache: Cache, key: string, isJson: boolean): number {
  const value = cache.peek(key);
  if (value === undefined) throw new Failure('there is no live entry under this key');
  if (isJson) print(JSON.stringify({ key, value: jsonable(value) ? value : inspect(value, { depth: null }) }));
  else if (typeof value === 'string') print(value);
  else if (ArrayBuffer.isView(value))
    process.stdout.write(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  else print(jsonable(value) ? JSON.stringify(value) : inspect(value, { depth: null }));
  return 0;
}

function jsonable(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return typeof value !== 'bigint';
  if (Array.isArray(value)) return value.every(jsonable);
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(jsonable);
}

async function serve({ words, values }: Call): Promise<number> {
  const { size, http, resp, 'token-file': tokenFile } = values as Record<string, string | undefined>;
  if ((words.length === 1) === (size !== undefined)) throw new UsageError('serve takes either PATH or --size');
  if (http === undefined && resp === undefined)
    throw new UsageError('serve takes --http ADDRESS, --resp ADDRESS or both');
  const token = tokenFile === undefined ? undefined : readFileSync(tokenFile, 'utf8').trim();
  const cache: Cache = size === undefined ? openThere(words[0]) : new SharedCache({ maxBytes: size });
  try {
    const server = await createServer({ cache, http, resp, token });
    report({ ...server.addresses }, values.json === true);
    await new Promise<void>((resolve) => {
      process.once('SIGINT', resolve);
      process.once('SIGTERM', resolve);
    });
    await server.close();
  } finally {
    cache.close();
  }
  return 0;
}

function report(facts: Record<string, unknown>, isJson: boolean): void {
  if (isJson) print(JSON.stringify(facts));
  else
    for (const [name, fact] of Object.entries(facts))
      print(`${name}: ${typeof fact === 'object' ? JSON.stringify(fact) : fact}`);
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
