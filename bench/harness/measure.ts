import { loadAdapter } from '../adapters/index.js';
import type { Scenario } from '../scenarios.js';
import { quantile, type Spread, spread } from '../stats.js';
import { drawOperations } from '../workloads/operations.js';
import { STANDARD_BYTES } from '../workloads/values.js';
import type { ThreadRound } from './load-api.js';
import { Team } from './team.js';

export interface Effort {
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmupMs: number;
  readonly seed: number;
}

/** One adapter in one scenario. */
export interface Measurement {
  readonly scenario: string;
  readonly adapter: string;
  /** Over all threads, each thread's run-queue waiting taken off its time. */
  readonly opsPerSecond: Spread;
  /** The median as the clock saw it. */
  readonly uncorrected: number;
  /** Share of the threads' time spent waiting for a core; 0 where the system does not tell. */
  readonly waitedShare: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Gets that found nothing, of all operations. */
  readonly missShare: number;
  /** Every round's corrected rate, in order. */
  readonly rounds: readonly number[];
}

/** All adapters side by side: warmed up, then round by round in turn, so that what disturbs the machine disturbs all. */
export async function measureScenario(
  scenario: Scenario,
  adapterNames: readonly string[],
  effort: Effort,
  tick: (label: string) => void,
): Promise<Measurement[]> {
  const { kind, keys, threads, freshKeys } = scenario;
  const operations = drawOperations({ ...scenario, seed: effort.seed });
  const setup = { kind, keys, threads, valueBytes: STANDARD_BYTES[kind] };
  const teams: Team[] = [];
  try {
    const assembled = await Promise.allSettled(
      adapterNames.map(async (name) => {
        const team = await Team.assemble(await loadAdapter(name), { setup, seed: effort.seed, freshKeys, operations });
        tick(`${scenario.name}: checked ${name}`);
        return team;
      }),
    );
    for (const each of assembled) if (each.status === 'fulfilled') teams.push(each.value);
    const failed = assembled.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    for (const team of teams) {
      tick(`${scenario.name}: warm up ${team.adapter.name}`);
      await team.run(effort.warmupMs);
    }
    const rounds = teams.map((): ThreadRound[][] => []);
    for (let round = 0; round < effort.rounds; round++) {
      for (const [i, team] of teams.entries()) {
        tick(`${scenario.name}: ${team.adapter.name}`);
        rounds[i]?.push(await team.run(effort.roundMs));
      }
    }
    return teams.map(({ adapter }, i) => summarize(scenario.name, adapter.name, rounds[i] ?? []));
  } finally {
    for (const team of teams) await team.close();
  }
}

/** Steps `measureScenario` reports. */
export const stepsOf = (adapters: number, effort: Effort): number => adapters * (2 + effort.rounds);

function summarize(scenario: string, adapter: string, rounds: readonly ThreadRound[][]): Measurement {
  const rate = (threads: readonly ThreadRound[], waited: (thread: ThreadRound) => number): number =>
    threads.reduce((sum, each) => sum + (each.operations / (each.elapsedMs - waited(each))) * 1000, 0);
  const all = rounds.flat();
  const total = (of: (thread: ThreadRound) => number): number => all.reduce((sum, each) => sum + of(each), 0);
  const corrected = rounds.map((threads) => rate(threads, ({ waitedMs }) => waitedMs ?? 0));
  const latencies = all.flatMap(({ latenciesUs }) => [...latenciesUs]);
  return {
    scenario,
    adapter,
    opsPerSecond: spread(corrected),
    uncorrected: quantile(
      rounds.map((threads) => rate(threads, () => 0)),
      0.5,
    ),
    waitedShare: total(({ waitedMs }) => waitedMs ?? 0) / total(({ elapsedMs }) => elapsedMs),
    p50Us: quantile(latencies, 0.5),
    p99Us: quantile(latencies, 0.99),
    missShare: total(({ misses }) => misses) / total(({ operations }) => operations),
    rounds: corrected,
  };
}
