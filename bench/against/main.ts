/** What a change costs: see USAGE. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { type Remote, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type * as Engine from '../../src/index.js';
import { runCommand, UsageError, wholeOption } from '../cli.js';
import { startProgress } from '../harness/progress.js';
import { circumstances, describeCircumstances } from '../report/circumstances.js';
import { table } from '../report/tables.js';
import { median, quantile } from '../stats.js';
import { cachedKeys } from '../workloads/keys.js';
import { drawOperations } from '../workloads/operations.js';
import { makeValues, VARIANTS } from '../workloads/values.js';
import type { AgainstLoad } from './load.js';

const USAGE = `Usage: npm run bench:against -- CHECKOUT [options]
Holds this build against another one, compiled in CHECKOUT (git worktree add, then npm run build there): both caches stay open,
each with threads of its own, and take turns round by round, so that a noisy machine slows down both. The result is the median of
the rounds' ratios, above 1 when this build is faster: 100,000 strings of 100 characters, asked for by Zipf.

  --threads N     default 2
  --rounds N      for each mix (default 40)
  --round-ms N    their length in ms (default 700)
  --help          prints this`;

const KEYS = 100_000;
const SEED = 1;
/** Rounds that are run and not counted. */
const WARM_UP = 3;
const MIXES = { '100/0': 0, '95/5': 0.05, '50/50': 0.5 } as const;

interface Options {
  readonly other: string;
  readonly threads: number;
  readonly rounds: number;
  readonly roundMs: number;
}

/** One build's cache and the threads that work on it. */
class Side {
  readonly #threads: readonly { worker: Worker; api: Remote<AgainstLoad> }[];
  readonly #cache: Engine.SharedCache<string>;

  private constructor(cache: Engine.SharedCache<string>, threads: number) {
    this.#cache = cache;
    this.#threads = Array.from({ length: threads }, () => {
      const worker = new Worker(new URL('../../workers/bench-against.js', import.meta.url));
      return { worker, api: wrap<AgainstLoad>(nodeEndpoint(worker)) };
    });
  }

  static async open(engine: string, threads: number): Promise<Side> {
    const { SharedCache } = (await import(engine)) as typeof Engine;
    const cache = new SharedCache<string>({ maxBytes: '64MB' });
    const values = makeValues('str', 100, SEED) as readonly string[];
    for (const [i, key] of cachedKeys(KEYS).entries()) cache.put(key, values[i & (VARIANTS - 1)]);
    const side = new Side(cache, threads);
    const { handle } = cache;
    await side.#all((api, i) => api.open({ engine, handle, keys: KEYS, seed: SEED, start: i / threads }));
    return side;
  }

  async take(operations: Uint32Array): Promise<void> {
    await this.#all((api) => api.take(operations));
  }

  /** Operations a second of all threads together. */
  async run(durationMs: number): Promise<number> {
    const rates = await this.#all((api) => api.run(durationMs));
    return rates.reduce((sum, rate) => sum + rate, 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
    this.#cache.close();
  }

  #all<T>(call: (api: Remote<AgainstLoad>, thread: number) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#threads.map(({ api }, i) => call(api, i)));
  }
}

async function main({ other, threads, rounds, roundMs }: Options): Promise<void> {
  const where = describeCircumstances(circumstances('bench:against'));
  const sides = [
    await Side.open(new URL('../../src/index.js', import.meta.url).href, threads),
    await Side.open(other, threads),
  ] as const;
  const progress = startProgress(Object.keys(MIXES).length * rounds);
  const rows: string[][] = [];
  for (const [name, writes] of Object.entries(MIXES)) {
    const operations = drawOperations({ distribution: 'zipf', keys: KEYS, writes, seed: SEED });
    for (const side of sides) await side.take(operations);
    const pairs: [number, number][] = [];
    for (let round = -WARM_UP; round < rounds; round++) {
      const pair: [number, number] = [0, 0];
      // Each goes first as often as the other.
      for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) pair[i] = await sides[i].run(roundMs);
      if (round >= 0) pairs.push(pair);
      progress.update(rows.length * rounds + Math.max(0, round), name);
    }
    const ratios = pairs.map(([here, there]) => here / there);
    const million = (i: 0 | 1): string => (median(pairs.map((pair) => pair[i])) / 1e6).toFixed(2);
    const [low, middle, high] = [0.25, 0.5, 0.75].map((q) => quantile(ratios, q).toFixed(3));
    rows.push([name, million(0), million(1), middle, `${low} to ${high}`]);
  }
  progress.stop();
  for (const side of sides) await side.close();
  const head = ['reads/writes', 'this, M ops/s', 'other, M ops/s', 'ratio', 'middle half of the rounds'];
  console.log(`${where}\n\n${table(head, rows)}`);
}

function parseOptions(args: readonly string[]): Options {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      threads: { ...text, default: '2' },
      rounds: { ...text, default: '40' },
      'round-ms': { ...text, default: '700' },
    },
  });
  const [checkout] = positionals;
  if (checkout === undefined || positionals.length > 1) throw new UsageError('one checkout to compare with is needed');
  const main = join(resolve(checkout), 'dist/src/index.js');
  if (!existsSync(main)) throw new UsageError(`there is no ${main}: npm run build there makes it`);
  return {
    other: pathToFileURL(main).href,
    threads: wholeOption('threads', values.threads, { min: 1, max: 64 }),
    rounds: wholeOption('rounds', values.rounds, { min: 1, max: 10_000 }),
    roundMs: wholeOption('round-ms', values['round-ms'], { min: 1, max: 60_000 }),
  };
}

await runCommand(USAGE, parseOptions, main);
