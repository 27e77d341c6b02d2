import { runQueueWaitMs } from '../harness/schedstat.js';
import { spread } from '../stats.js';
import type { CostEffort, Point, Tick } from './chart.js';

/** Something whose cost is asked for at one point of a chart. */
export interface Probe {
  readonly series: string;
  /** Where on the chart's axis; what it counts is the chart's matter. */
  readonly x: number;
  /** Largest count of operations one `run` may be asked for. Default any. */
  readonly most?: number;
  /** Before each run, not timed. */
  prepare?(count: number): void;
  /** Does so many operations. */
  run(count: number): void;
}

/** Rounds before the first that counts, for the optimizing compiler and the processor's caches. */
const WARMUP_ROUNDS = 3;
const FIRST_COUNT = 16;

export const ticksOf = (probes: number, { rounds }: CostEffort): number => probes * (WARMUP_ROUNDS + rounds);

/** What an operation costs in ns, time spent waiting for a core taken off: round by round in turn, so that what disturbs the machine disturbs all. */
export function measureProbes(probes: readonly Probe[], { rounds, roundMs }: CostEffort, tick: Tick): Point[] {
  const counts = probes.map(() => FIRST_COUNT);
  const costs = probes.map((): number[] => []);
  for (let round = -WARMUP_ROUNDS; round < rounds; round++) {
    for (const [i, probe] of probes.entries()) {
      tick(`${probe.series} at ${probe.x}`);
      const most = probe.most ?? Number.POSITIVE_INFINITY;
      if (round < 0) counts[i] = calibrate(probe, counts[i] as number, most, roundMs);
      else costs[i]?.push(timeOnce(probe, counts[i] as number) / (counts[i] as number));
    }
  }
  return probes.map(({ series, x }, i) => ({ series, x, y: spread(costs[i] ?? []), rounds: costs[i] ?? [] }));
}

/** The count of operations that takes about a round. */
function calibrate(probe: Probe, firstCount: number, most: number, roundMs: number): number {
  let count = Math.min(firstCount, most);
  for (;;) {
    const tookMs = timeOnce(probe, count) / 1e6;
    if (tookMs >= roundMs / 2 || count >= most)
      return Math.max(1, Math.min(most, Math.floor((count * roundMs) / tookMs)));
    // Not more than eightfold at once: the first operations of a process are slow and would mislead.
    count = Math.min(most, Math.ceil(count * Math.min(8, Math.max(2, roundMs / tookMs))));
  }
}

/** ns of one run of `count` operations. */
function timeOnce(probe: Probe, count: number): number {
  probe.prepare?.(count);
  const waitedBefore = runQueueWaitMs() ?? 0;
  const start = performance.now();
  probe.run(count);
  const tookMs = performance.now() - start;
  const waitedMs = (runQueueWaitMs() ?? 0) - waitedBefore;
  return Math.max(tookMs - waitedMs, tookMs / 100) * 1e6;
}
