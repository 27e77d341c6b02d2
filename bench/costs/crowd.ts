import { availableParallelism } from 'node:os';
import { SharedCache, type SharedCacheHandle } from '../../src/index.js';
import { loadAdapter } from '../adapters/index.js';
import type { ThreadRound } from '../harness/load-api.js';
import { uncorrectedRate } from '../harness/measure.js';
import { Team } from '../harness/team.js';
import { quantile, spread } from '../stats.js';
import { drawOperations } from '../workloads/operations.js';
import { STANDARD_BYTES } from '../workloads/values.js';
import { at, type Bound, type CostChart, type CostEffort, type Point, type Tick } from './chart.js';

const THREADS = [1, 2, 4, 16, 64];
/** Of two threads' rate, or of one for each core. */
const WANTED = [
  { threads: 16, wanted: 0.6 },
  { threads: 64, wanted: 0.35 },
];
const MOST = Math.max(...THREADS);
const WRITES = 0.5;
const MIXES = [
  { name: '10,000 keys', keys: 10_000, wanted: WANTED },
  { name: 'one hot key', keys: 1, wanted: [] },
];
/** Rounds are this much longer than asked for: with 64 threads on two cores each runs a thirtieth of the time. */
const ROUND_FACTOR = 10;
/** Each thread compiles the same code for itself, and 64 of them share two cores while they do. */
const WARMUP_MS_PER_THREAD = 400;

/** What happens when there are more threads than cores: a thread that loses its core may hold a lock that others want. */
export const crowdChart: CostChart = {
  name: 'crowd',
  title: 'Rate with more threads than cores',
  workload: 'gets and puts of 100-byte strings in equal parts; all threads together',
  xTitle: 'threads',
  yTitle: 'operations a second, as the clock saw it',
  shape: 'lines',
  label: String,
  ticks: ({ rounds }) => MIXES.length * THREADS.length * (1 + rounds),
  measure: async (effort, tick) => {
    const points: Point[] = [];
    const bounds: Bound[] = [];
    for (const { name, keys, wanted } of MIXES) {
      const measured = await measureMix(name, keys, effort, tick);
      points.push(...measured.points);
      bounds.push(...boundsOf(name, wanted, measured));
    }
    return { points, bounds };
  },
};

interface Measured {
  readonly points: readonly Point[];
  /** Of the most threads: the slowest one's operations by the mean. */
  readonly slowest: number;
  /** Locks that were not had within the lock timeout. */
  readonly refused: number;
}

function boundsOf(name: string, wanted: typeof WANTED, { points, slowest, refused }: Measured): Bound[] {
  const base = Math.max(2, availableParallelism());
  const scaled = wanted.map((each) => ({
    title: `${name}: ${each.threads} threads by ${base}`,
    unit: 'x',
    kind: 'at least' as const,
    wanted: each.wanted,
    measured: at(points, name, each.threads) / at(points, name, base),
  }));
  const fair = { title: `${name}: slowest of ${MOST} threads by their mean`, unit: 'x', kind: 'at least' as const };
  const had = { title: `${name}: locks not had in time`, unit: '', kind: 'at most' as const };
  return [...scaled, { ...fair, wanted: 0.1, measured: slowest }, { ...had, wanted: 0, measured: refused }];
}

/** One team after the other: 64 threads that only wait would still be woken for their barrier. */
async function measureMix(
  series: string,
  keyCount: number,
  { rounds, roundMs, seed }: CostEffort,
  tick: Tick,
): Promise<Measured> {
  const operations = drawOperations({ distribution: 'zipf', keys: keyCount, writes: WRITES, seed });
  const points: Point[] = [];
  let slowest = Number.NaN;
  let refused = 0;
  for (const threads of THREADS) {
    const adapter = await loadAdapter('mooncake');
    const setup = { kind: 'str', keys: keyCount, valueBytes: STANDARD_BYTES.str, threads, processes: false } as const;
    let handle: unknown;
    const watched = {
      ...adapter,
      init: async () => {
        const host = await adapter.init(setup);
        handle = host.handle(0).value;
        return host;
      },
    };
    const team = await Team.assemble(watched, { setup, seed });
    try {
      const cache = SharedCache.attach(handle as SharedCacheHandle);
      await team.take({ operations, freshKeys: false });
      tick(`${series}, warm up ${threads} threads`);
      await team.run(WARMUP_MS_PER_THREAD * threads);
      const results: ThreadRound[][] = [];
      for (let round = 0; round < rounds; round++) {
        tick(`${series}, ${threads} threads`);
        results.push(await team.run(roundMs * ROUND_FACTOR));
      }
      const rates = results.map(uncorrectedRate);
      points.push({ series, x: threads, y: spread(rates), rounds: rates });
      slowest = quantile(results.map(fairness), 0.5);
      refused += cache.getStats().lockTimeouts;
      cache.close();
    } finally {
      await team.close();
    }
  }
  return { points, slowest, refused };
}

/** The slowest thread's operations by the mean of all. */
function fairness(threads: readonly ThreadRound[]): number {
  const done = threads.map(({ operations }) => operations);
  return Math.min(...done) / (done.reduce((sum, each) => sum + each, 0) / done.length);
}
