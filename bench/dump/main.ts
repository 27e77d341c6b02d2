/** What it takes to bring a full cache to a file and back: see USAGE. */
import { memoryDirectory } from '../adapters/directory.js';
import { parseCounts, runCommand } from '../cli.js';
import { startProgress } from '../harness/progress.js';
import { circumstances } from '../report/circumstances.js';
import { writeResults } from '../report/results.js';
import { table } from '../report/tables.js';
import { median, ratios, type Spread, spread } from '../stats.js';
import { cachedKeys } from '../workloads/keys.js';
import { makeValues, VARIANTS } from '../workloads/values.js';
import { allWays, BASE, LRU_MOST_ENTRIES, OWN, type Way } from './ways.js';

const USAGE = `Usage: npm run bench:dump -- [options]
dump() and load() beside v8.serialize, lmdb's backup() and, up to 100,000 entries, lru-cache's dump() as JSON, in turns: entries of
21 characters of key and 100 of value, files in memory.

  --entries N     default 1,000,000
  --rounds N      of each way (default 7)
  --no-files      print, but write no files
  --help          prints this

Writes dump.json into bench/results.`;

const VALUE_BYTES = 100;
const SEED = 1;

interface Options {
  readonly entries: number;
  readonly rounds: number;
  readonly files: boolean;
}

interface Measured {
  readonly way: string;
  /** ms; undefined for what a way does not have. */
  readonly store: Spread;
  readonly load: Spread | undefined;
  /** Longest time without a turn of the event loop, ms. */
  readonly storePause: number;
  readonly loadPause: number | undefined;
  /** Of the base way's time of the same round. */
  readonly storeRatio: number;
  readonly loadRatio: number | undefined;
}

interface Timed {
  readonly ms: number;
  readonly pauseMs: number;
}

/** How long the work takes, and how long the event loop stands still at most. */
async function time(work: () => Promise<unknown> | unknown): Promise<Timed> {
  const startedAt = performance.now();
  let turnedAt = startedAt;
  let pauseMs = 0;
  let watching = true;
  const turn = (): void => {
    const now = performance.now();
    pauseMs = Math.max(pauseMs, now - turnedAt);
    turnedAt = now;
    if (watching) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  const ms = performance.now() - startedAt;
  watching = false;
  turn();
  return { ms, pauseMs };
}

function summarize(ways: readonly Way[], stores: readonly Timed[][], loads: readonly Timed[][]): Measured[] {
  const base = ways.findIndex(({ name }) => name === BASE);
  const times = (runs: readonly Timed[] = []): number[] => runs.map(({ ms }) => ms);
  const longest = (runs: readonly Timed[]): number => Math.max(...runs.map(({ pauseMs }) => pauseMs));
  return ways.map(({ name, load }, i) => {
    const [storeRuns, loadRuns] = [stores[i] ?? [], loads[i] ?? []];
    const loaded = load !== undefined;
    return {
      way: name,
      store: spread(times(storeRuns)),
      load: loaded ? spread(times(loadRuns)) : undefined,
      storePause: longest(storeRuns),
      loadPause: loaded ? longest(loadRuns) : undefined,
      storeRatio: median(ratios(times(storeRuns), times(stores[base]))),
      loadRatio: loaded ? median(ratios(times(loadRuns), times(loads[base]))) : undefined,
    };
  });
}

function print(measured: readonly Measured[]): string {
  const ms = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(0));
  return table(
    ['way', 'store ms', 'x', 'longest pause ms', 'load ms', 'x', 'longest pause ms'],
    measured.map((each) => [
      each.way,
      ms(each.store.median),
      each.storeRatio.toFixed(2),
      ms(each.storePause),
      ms(each.load?.median),
      each.loadRatio?.toFixed(2) ?? '-',
      ms(each.loadPause),
    ]),
  );
}

async function main({ entries, rounds, files }: Options): Promise<void> {
  const where = circumstances('bench:dump');
  const values = makeValues('str', VALUE_BYTES, SEED) as readonly string[];
  const content = new Map(cachedKeys(entries).map((key, i) => [key, values[i % VARIANTS] as string]));
  const { path: folder, remove } = memoryDirectory('bench-dump-');
  if (entries > LRU_MOST_ENTRIES)
    console.log(`lru-cache is left out: its dump() of ${entries} entries takes minutes\n`);
  try {
    const ways = await allWays(content, VALUE_BYTES, folder);
    const progress = startProgress(ways.length * (1 + rounds));
    let done = 0;
    const stores = ways.map((): Timed[] => []);
    const loads = ways.map((): Timed[] => []);
    // The first round of each is for the compiler.
    for (let round = -1; round < rounds; round++) {
      for (const [i, way] of ways.entries()) {
        const stored = await time(() => way.store());
        const loaded = way.load === undefined ? undefined : await time(way.load);
        progress.update(++done, way.name);
        if (round < 0) continue;
        stores[i]?.push(stored);
        if (loaded !== undefined) loads[i]?.push(loaded);
      }
    }
    progress.stop();
    for (const way of ways) await way.close();
    const measured = summarize(ways, stores, loads);
    console.log(print(measured));
    const own = measured.find(({ way }) => way === OWN);
    console.log(
      `\nstore at most 1.5 x: ${own?.storeRatio.toFixed(2)}; load at most 2 x: ${own?.loadRatio?.toFixed(2)}`,
    );
    const results = { ...where, entries, rounds, measured };
    if (files)
      console.log(`\nwrote ${writeResults('dump', { json: `${JSON.stringify(results, null, 2)}\n` }).join(', ')}`);
  } finally {
    remove();
  }
}

await runCommand(
  USAGE,
  (args) =>
    parseCounts(args, {
      entries: { usual: 1_000_000, min: 1, max: 100_000_000 },
      rounds: { usual: 7, min: 1, max: 1000 },
    }),
  main,
);
