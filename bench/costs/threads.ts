import { availableParallelism } from 'node:os';
import { loadAdapter } from '../adapters/index.js';
import { uncorrectedRate } from '../harness/measure.js';
import { Team } from '../harness/team.js';
import { spread } from '../stats.js';
import { drawOperations } from '../workloads/operations.js';
import { STANDARD_BYTES } from '../workloads/values.js';
import { at, type CostChart, type CostEffort, type Point, type Tick } from './chart.js';

const KEYS = 100_000;
const THREADS = [1, 2, 4, 8];
const MIXES = [
  { name: 'get', writes: 0 },
  { name: '95/5', writes: 0.05 },
  { name: '50/50', writes: 0.5 },
];
/** A Map in each thread shares nothing: what it scales to is what the machine's cores allow. */
const ADAPTERS = ['mooncake', 'map'];
/** ms the optimizing compiler gets in each mix. */
const WARMUP_MS = 300;

const seriesOf = (adapter: string, mix: string): string => `${adapter} ${mix}`;

/** How the number of threads changes what they do together. */
export const threadsChart: CostChart = {
  name: 'threads',
  title: 'Rate by number of threads',
  workload: '100,000 keys, Zipf 0.99; 100-byte strings; all threads together',
  xTitle: 'threads',
  yTitle: 'operations a second, as the clock saw it',
  shape: 'lines',
  label: String,
  ticks: ({ rounds }) => MIXES.length * ADAPTERS.length * THREADS.length * (1 + rounds),
  measure: async (effort, tick) => {
    const setup = { kind: 'str', keys: KEYS, valueBytes: STANDARD_BYTES.str, processes: false } as const;
    const teams: { threads: number; team: Team }[] = [];
    try {
      for (const threads of THREADS) {
        for (const name of ADAPTERS) {
          const adapter = await loadAdapter(name);
          teams.push({
            threads,
            team: await Team.assemble(adapter, { setup: { ...setup, threads }, seed: effort.seed }),
          });
        }
      }
      const points: Point[] = [];
      for (const mix of MIXES) points.push(...(await measureMix(mix, teams, effort, tick)));
      const attachMs = teams.flatMap(({ team }) => (team.adapter.name === 'mooncake' ? team.attachMs : []));
      return { points, bounds: boundsOf(points, attachMs) };
    } finally {
      for (const { team } of teams) await team.close();
    }
  },
};

async function measureMix(
  { name, writes }: { name: string; writes: number },
  teams: readonly { threads: number; team: Team }[],
  { rounds, roundMs, seed }: CostEffort,
  tick: Tick,
): Promise<Point[]> {
  const operations = drawOperations({ distribution: 'zipf', keys: KEYS, writes, seed });
  const rates = teams.map((): number[] => []);
  for (const { team } of teams) {
    tick(`warm up ${team.adapter.name} ${name}`);
    await team.take({ operations, freshKeys: false });
    await team.run(WARMUP_MS);
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, { team, threads }] of teams.entries()) {
      tick(`${team.adapter.name} ${name}, ${threads} threads`);
      const results = await team.run(roundMs);
      // Not corrected for waiting: with more threads than cores, waiting is what there is to see.
      rates[i]?.push(uncorrectedRate(results));
    }
  }
  return teams.map(({ team, threads }, i) => ({
    series: seriesOf(team.adapter.name, name),
    x: threads,
    y: spread(rates[i] ?? []),
    rounds: rates[i] ?? [],
  }));
}

function boundsOf(points: readonly Point[], attachMs: readonly number[]) {
  const own = (mix: string, threads: number): number => at(points, seriesOf('mooncake', mix), threads);
  const map = (mix: string, threads: number): number => at(points, seriesOf('map', mix), threads);
  const scaling = MIXES.map(({ name }) => ({
    title: `${name}: T2 / T1 by what a Map in each thread scales`,
    unit: 'x',
    kind: 'at least' as const,
    wanted: 0.92,
    measured: own(name, 2) / own(name, 1) / (map(name, 2) / map(name, 1)),
  }));
  const cores = availableParallelism();
  const crowded = MIXES.map(({ name }) => ({
    title: `${name}: ${2 * cores} threads on ${cores} cores by ${cores} threads`,
    unit: 'x',
    kind: 'at least' as const,
    wanted: 0.85,
    measured: own(name, 2 * cores) / own(name, cores),
  }));
  const longest = { title: 'longest attach of a thread', unit: 'ms', kind: 'at most' as const, wanted: 5 };
  return [...scaling, ...crowded, { ...longest, measured: Math.max(...attachMs) }];
}
