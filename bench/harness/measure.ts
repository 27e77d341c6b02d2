import { loadAdapter } from '../adapters/index.js';
import type { Scenario } from '../scenarios.js';
import { median, quantile, ratios, type Spread, spread } from '../stats.js';
import { drawOperations } from '../workloads/operations.js';
import { STANDARD_BYTES } from '../workloads/values.js';
import type { Effort } from './effort.js';
import type { ThreadRound } from './load-api.js';
import { Team } from './team.js';

const OWN = 'mooncake';

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
  /** How long a round was. */
  readonly roundMs: number;
  /** This cache's rate over this adapter's, round by round. */
  readonly ratio: Spread;
}

/** Hears what is under way, and which share of the scenario is done. */
export type Progress = (label: string, share: number) => void;

/** One store of each adapter that can, with its load threads, for scenarios of one kind of value and number of threads. */
export async function assembleTeams(
  { kind, keys, threads, processes }: Scenario,
  adapterNames: readonly string[],
  seed: number,
  assembled: (name: string) => void,
): Promise<Team[]> {
  const setup = { kind, keys, threads, processes, valueBytes: STANDARD_BYTES[kind] };
  const teams: Team[] = [];
  const adapters = await Promise.all(adapterNames.map(loadAdapter));
  const settled = await Promise.allSettled(
    adapters
      .filter(({ kinds }) => kinds?.includes(kind) ?? true)
      .filter(({ overProcesses = false }) => overProcesses || !processes)
      .map(async (adapter) => {
        const team = await Team.assemble(adapter, { setup, seed });
        assembled(adapter.name);
        return team;
      }),
  );
  for (const each of settled) if (each.status === 'fulfilled') teams.push(each.value);
  const failed = settled.find((each) => each.status === 'rejected');
  if (failed === undefined) return teams;
  await closeTeams(teams);
  throw failed.reason;
}

export async function closeTeams(teams: readonly Team[]): Promise<void> {
  for (const team of teams) await team.close();
}

/** All adapters side by side: warmed up, then round by round in turn, so that what disturbs the machine disturbs all. */
export async function measureScenario(
  scenario: Scenario,
  teams: readonly Team[],
  effort: Effort,
  progress: Progress,
): Promise<Measurement[]> {
  const operations = drawOperations({ ...scenario, seed: effort.seed });
  const steps = teams.length * (1 + effort.rounds);
  let done = 0;
  const tick = (label: string): void => progress(`${scenario.name}: ${label}`, done++ / steps);
  for (const team of teams) {
    tick(`warm up ${team.adapter.name}`);
    await team.take({ operations, freshKeys: scenario.freshKeys });
    await team.run(effort.warmupMs);
  }
  const rounds = teams.map((): ThreadRound[][] => []);
  for (let round = 0; round < effort.rounds; round++) {
    for (const [i, team] of teams.entries()) {
      tick(team.adapter.name);
      rounds[i]?.push(await team.run(effort.roundMs));
    }
  }
  const own = teams.findIndex(({ adapter }) => adapter.name === OWN);
  const ownRates = (rounds[own] ?? []).map(correctedRate);
  return teams.map(({ adapter }, i) => {
    const measured = summarize(scenario.name, adapter.name, rounds[i] ?? []);
    const ratio = spread(ratios(ownRates, measured.rounds));
    return { ...measured, roundMs: effort.roundMs, ratio };
  });
}

/** Operations a second over all threads, each thread's time without what `waited` says. */
function rateOf(threads: readonly ThreadRound[], waited: (thread: ThreadRound) => number): number {
  return threads.reduce((sum, each) => sum + (each.operations / (each.elapsedMs - waited(each))) * 1000, 0);
}

/** As the clock saw it: with more threads than cores, waiting is what there is to see. */
export const uncorrectedRate = (threads: readonly ThreadRound[]): number => rateOf(threads, () => 0);

const correctedRate = (threads: readonly ThreadRound[]): number => rateOf(threads, ({ waitedMs }) => waitedMs ?? 0);

function summarize(
  scenario: string,
  adapter: string,
  rounds: readonly ThreadRound[][],
): Omit<Measurement, 'roundMs' | 'ratio'> {
  const all = rounds.flat();
  const total = (of: (thread: ThreadRound) => number): number => all.reduce((sum, each) => sum + of(each), 0);
  const corrected = rounds.map(correctedRate);
  const latencies = all.flatMap(({ latenciesUs }) => [...latenciesUs]);
  return {
    scenario,
    adapter,
    opsPerSecond: spread(corrected),
    uncorrected: median(rounds.map(uncorrectedRate)),
    waitedShare: total(({ waitedMs }) => waitedMs ?? 0) / total(({ elapsedMs }) => elapsedMs),
    p50Us: quantile(latencies, 0.5),
    p99Us: quantile(latencies, 0.99),
    missShare: total(({ misses }) => misses) / total(({ operations }) => operations),
    rounds: corrected,
  };
}
