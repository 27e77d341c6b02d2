/** What each operation of the cache costs on one thread when nobody disturbs it, with tinybench: see USAGE. */
import { parseArgs } from 'node:util';
import { Bench } from 'tinybench';
import { KeyEncoder } from '../../src/codec/key.js';
import { SharedCache } from '../../src/index.js';
import { tryLockWord, unlockWord } from '../../src/sync/mutex.js';
import { runCommand, UsageError, wholeOption } from '../cli.js';
import { circumstances, describeCircumstances } from '../report/circumstances.js';
import { short, table } from '../report/tables.js';
import { type Spread, spread } from '../stats.js';
import { cachedKeys, freshKey } from '../workloads/keys.js';
import { makeValues, VARIANTS } from '../workloads/values.js';

const USAGE = `Usage: npm run bench:micro -- [options]
What each operation costs on one thread, in ns: medians over rounds in which all take turns.

  --only WORDS    comma-separated: operations whose name contains one of them
  --rounds N      default 7
  --time-ms N     for each operation in each round (default 60)
  --help          prints this`;

interface MicroOptions {
  readonly words: readonly string[];
  readonly rounds: number;
  readonly timeMs: number;
}

/** Operations between two looks at the clock, which costs as much as one of them; a power of two. */
const BATCH = 64;
/** A power of two. */
const KEYS = 2 ** 16;
const SEED = 1;

/** `run` does the operation for the number given, which grows by one from call to call. */
interface Operation {
  readonly name: string;
  run(number: number): void;
}

function allOperations(): Operation[] {
  const cache = new SharedCache<unknown>({ maxBytes: '512MB', averageEntryBytes: 256, sweep: false });
  const keys = cachedKeys(KEYS);
  const counters = keys.map((key) => `counter:${key}`);
  const objects = keys.map((key) => `object:${key}`);
  const buffers = keys.map((key) => `buffer:${key}`);
  const absent = keys.map((key) => `absent:${key}`);
  const strings = makeValues('str', 100, SEED);
  const profiles = makeValues('json', 0, SEED);
  const bytes = makeValues('buf', 1024, SEED);
  for (let i = 0; i < KEYS; i++) {
    cache.put(keys[i] as string, strings[i % VARIANTS]);
    cache.put(counters[i] as string, i);
    cache.put(objects[i] as string, profiles[i % VARIANTS]);
    cache.put(buffers[i] as string, bytes[i % VARIANTS]);
  }
  // A stride through the keys, so that neither memory nor the values kept near make it easy.
  const pick = <T>(from: readonly T[], i: number): T => from[Math.imul(i, 40_503) & (KEYS - 1)] as T;
  const frozen = new SharedCache<unknown>({ maxBytes: '512MB', frozen: true, nearBytes: '64MB', sweep: false });
  for (const [i, key] of keys.entries()) frozen.put(key, profiles[i % VARIANTS]);
  const full = new SharedCache<string>({ maxEntries: KEYS, sweep: false });
  const encoder = new KeyEncoder(1, 2);
  const lock = new Int32Array(new SharedArrayBuffer(16));
  let fresh = 0;
  let stored = 0;
  return [
    { name: 'get hit string of 100', run: (i) => cache.get(pick(keys, i)) },
    { name: 'get hit string by a new key string', run: (i) => cache.get(freshKey(Math.imul(i, 40_503) & (KEYS - 1))) },
    { name: 'get hit same 64 strings', run: (i) => cache.get(keys[i & 63] as string) },
    { name: 'get hit number', run: (i) => cache.get(pick(counters, i)) },
    { name: 'get hit object', run: (i) => cache.get(pick(objects, i)) },
    { name: 'get hit frozen object', run: (i) => frozen.get(pick(keys, i)) },
    {
      name: 'put + get object',
      run: (i) => cache.put(pick(objects, i), profiles[i % VARIANTS]) && cache.get(pick(objects, i)),
    },
    {
      name: 'put + get frozen object',
      run: (i) => frozen.put(pick(keys, i), profiles[i % VARIANTS]) && frozen.get(pick(keys, i)),
    },
    { name: 'get hit Buffer of 1 KB', run: (i) => cache.get(pick(buffers, i)) },
    { name: 'get miss', run: (i) => cache.get(pick(absent, i)) },
    { name: 'peek string of 100', run: (i) => cache.peek(pick(keys, i)) },
    { name: 'has', run: (i) => cache.has(pick(keys, i)) },
    { name: 'put overwrite string of 100', run: (i) => cache.put(pick(keys, i), strings[i % VARIANTS]) },
    { name: 'put overwrite number', run: (i) => cache.put(pick(counters, i), i) },
    { name: 'put overwrite object', run: (i) => cache.put(pick(objects, i), profiles[i % VARIANTS]) },
    { name: 'put overwrite Buffer of 1 KB', run: (i) => cache.put(pick(buffers, i), bytes[i % VARIANTS]) },
    {
      name: 'put new evicting',
      run: () => full.put(freshKey(fresh++ % 100_000_000), strings[fresh % VARIANTS] as string),
    },
    {
      name: 'put new + delete',
      run: () => {
        const key = pick(absent, stored++);
        cache.put(key, strings[stored % VARIANTS]);
        cache.delete(key);
      },
    },
    { name: 'delete absent', run: (i) => cache.delete(pick(absent, i)) },
    { name: 'increment', run: (i) => cache.increment(pick(counters, i)) },
    { name: 'touch', run: (i) => cache.touch(pick(keys, i)) },
    {
      name: 'mutex lock + unlock',
      run: () => {
        if (!tryLockWord(lock, 0, lock[0] as number, -1)) throw new Error('the lock was taken');
        unlockWord(lock, 0);
      },
    },
    { name: 'key encode + hash', run: (i) => encoder.encode(pick(keys, i)) },
    { name: 'making a key string', run: (i) => freshKey(Math.imul(i, 40_503) & (KEYS - 1)) },
  ];
}

function measure(operations: readonly Operation[], { rounds, timeMs }: MicroOptions): Map<string, Spread> {
  const bench = new Bench({ time: timeMs, iterations: 8, warmupTime: timeMs, warmupIterations: 8 });
  for (const { name, run } of operations) {
    let number = 0;
    bench.add(name, () => {
      for (let i = 0; i < BATCH; i++) run(number++);
    });
  }
  const medians = new Map(operations.map(({ name }): [string, number[]] => [name, []]));
  for (let round = 0; round < rounds; round++) {
    bench.reset();
    bench.runSync();
    for (const { name, result } of bench.tasks) {
      if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`, { cause: result });
      medians.get(name)?.push((result.latency.p50 * 1e6) / BATCH);
    }
  }
  return new Map([...medians].map(([name, values]) => [name, spread(values)]));
}

function parseMicroOptions(args: readonly string[]): MicroOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { only: text, rounds: { ...text, default: '7' }, 'time-ms': { ...text, default: '60' } },
  });
  return {
    words: values.only?.split(',') ?? [''],
    rounds: wholeOption('rounds', values.rounds, { min: 1, max: 1000 }),
    timeMs: wholeOption('time-ms', values['time-ms'], { min: 1, max: 60_000 }),
  };
}

function main(options: MicroOptions): void {
  const where = describeCircumstances(circumstances('bench:micro'));
  const operations = allOperations().filter(({ name }) => options.words.some((word) => name.includes(word)));
  if (operations.length === 0) throw new UsageError(`--only: no operation is called ${options.words.join(' or ')}`);
  const rows = [...measure(operations, options)].map(([name, { median, min, max }]) => [
    name,
    ...[median, min, max].map((ns) => ns.toFixed(0)),
    short(1e9 / median),
  ]);
  console.log(`${where}\n\n${table(['operation', 'ns', 'min', 'max', 'a second'], rows)}`);
}

await runCommand(USAGE, parseMicroOptions, main);
