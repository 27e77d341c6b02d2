/** How much a scenario's measurement takes. */
export interface Effort {
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmupMs: number;
  readonly seed: number;
}

/** Less than this says nothing. */
const LEAST = { rounds: 3, roundMs: 50, warmupMs: 100 } as const;
/** Starting and ending a round, above what it measures. */
const ROUND_OVERHEAD_MS = 10;

const overheadMs = (effort: Effort, adapters: number): number => adapters * (1 + effort.rounds) * ROUND_OVERHEAD_MS;

/** What one scenario takes with this effort and so many adapters, its setting up left aside. */
export function durationMs(effort: Effort, adapters: number): number {
  return adapters * (effort.warmupMs + effort.rounds * effort.roundMs) + overheadMs(effort, adapters);
}

/**
 * The effort that fits into `availableMs`: shorter rounds and a shorter warm-up before fewer rounds, and never less than 3
 * rounds of 50 ms after 100 ms (or what was asked for, if that is less), whatever that takes.
 */
export function fitEffort(effort: Effort, adapters: number, availableMs: number): Effort {
  const overhead = overheadMs(effort, adapters);
  const share = (availableMs - overhead) / (durationMs(effort, adapters) - overhead);
  if (!(share < 1)) return effort;
  const shrink = (wanted: number, least: number): number =>
    Math.max(Math.min(wanted, least), Math.floor(wanted * share));
  const roundMs = shrink(effort.roundMs, LEAST.roundMs);
  const warmupMs = shrink(effort.warmupMs, LEAST.warmupMs);
  const forRounds = availableMs / adapters - warmupMs - ROUND_OVERHEAD_MS;
  const rounds = Math.floor(forRounds / (roundMs + ROUND_OVERHEAD_MS));
  return { ...effort, roundMs, warmupMs, rounds: Math.min(effort.rounds, Math.max(LEAST.rounds, rounds)) };
}
