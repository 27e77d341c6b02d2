import { loadAdapter } from '../adapters/index.js';
import { hostCache } from '../adapters/mooncake.js';
import { uncorrectedRate } from '../harness/measure.js';
import { Team } from '../harness/team.js';
import { median, ratios, spread } from '../stats.js';
import { drawOperations } from '../workloads/operations.js';
import { STANDARD_BYTES } from '../workloads/values.js';
import type { CostChart, Point } from './chart.js';

const KEYS = 1_000;
const WRITES = 0.5;
const MEMBERS = [1, 2, 4];
const MOST = Math.max(...MEMBERS);
const SERIES = { threads: 'threads of one process', processes: 'processes' } as const;
/** Rounds are this much longer than asked for: the schedule of four members on fewer cores evens out. */
const ROUND_FACTOR = 5;
const WARMUP_MS = 1_000;

interface Crew {
  readonly series: string;
  readonly members: number;
  readonly team: Team;
}

/** What it costs that processes cannot wake each other: all of them at one lock. */
export const processesChart: CostChart = {
  name: 'processes',
  title: 'Threads and processes at one shard',
  workload: '1,000 keys in a cache of one shard, Zipf 0.99; gets and puts of 100-byte strings in equal parts',
  xTitle: 'threads or processes',
  yTitle: 'operations a second, as the clock saw it',
  shape: 'lines',
  label: String,
  ticks: ({ rounds }) => Object.keys(SERIES).length * MEMBERS.length * (1 + rounds),
  measure: async ({ rounds, roundMs, seed }, tick) => {
    const crews: Crew[] = [];
    try {
      for (const members of MEMBERS) {
        for (const series of Object.values(SERIES))
          crews.push({ series, members, team: await assemble(members, series === SERIES.processes, seed) });
      }
      const operations = drawOperations({ distribution: 'zipf', keys: KEYS, writes: WRITES, seed });
      for (const { series, members, team } of crews) {
        tick(`warm up ${members} ${series}`);
        await team.take({ operations, freshKeys: false });
        await team.run(WARMUP_MS);
      }
      const rates = crews.map((): number[] => []);
      for (let round = 0; round < rounds; round++) {
        for (const [i, { series, members, team }] of crews.entries()) {
          tick(`${members} ${series}`);
          const results = await team.run(roundMs * ROUND_FACTOR);
          rates[i]?.push(uncorrectedRate(results));
        }
      }
      const points = crews.map(
        ({ series, members }, i): Point => ({
          series,
          x: members,
          y: spread(rates[i] ?? []),
          rounds: rates[i] ?? [],
        }),
      );
      return { points, bounds: [boundOf(points)] };
    } finally {
      for (const { team } of crews) await team.close();
    }
  },
};

function boundOf(points: readonly Point[]) {
  const [threads, processes] = [SERIES.threads, SERIES.processes].map(
    (series) => points.find((point) => point.series === series && point.x === MOST)?.rounds ?? [],
  );
  return {
    title: `${MOST} processes by ${MOST} threads, median of the rounds’ ratios`,
    unit: 'x',
    kind: 'at least' as const,
    wanted: 0.8,
    measured: median(ratios(processes, threads)),
  };
}

async function assemble(threads: number, processes: boolean, seed: number): Promise<Team> {
  const adapter = await loadAdapter('mooncake');
  const setup = { kind: 'str', keys: KEYS, valueBytes: STANDARD_BYTES.str, threads, processes } as const;
  const oneShard = { ...adapter, init: () => hostCache({ maxBytes: '8MB', shards: 1 }, processes) };
  return Team.assemble(oneShard, { setup, seed });
}
