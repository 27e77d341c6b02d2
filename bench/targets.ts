import type { Measurement } from './harness/measure.js';
import { median, ratios } from './stats.js';

/** A ratio this cache is meant to reach within one run. */
export interface Target {
  readonly title: string;
  readonly wanted: number;
  /** The median of the rounds' ratios; undefined where the run lacks a measurement. */
  readonly measured: number | undefined;
}

/** Every round's rate of an adapter in a scenario, in order; none where it was not measured. */
type Rounds = (scenario: string, adapter: string) => readonly number[];

interface Definition {
  readonly title: string;
  readonly wanted: number;
  /** NaN where a measurement is missing. */
  measure(rounds: Rounds): number;
}

const OWN = 'mooncake';
const FROZEN = 'mooncake frozen';
const LMDB = ['lmdb putSync', 'lmdb batched'];

/** Of several rivals the one that does best counts. */
function against(scenario: string, wanted: number, rivals: readonly string[], own = OWN): Definition {
  const what = own === OWN ? scenario : `${scenario}, ${own}`;
  return {
    title: `${what}: at least ${wanted} x ${rivals.join(' or ')}`,
    wanted,
    measure: (rounds) =>
      Math.min(...rivals.map((rival) => median(ratios(rounds(scenario, own), rounds(scenario, rival))))),
  };
}

const DEFINITIONS: readonly Definition[] = [
  against('str T2 get', 0.95, ['lru-cache']),
  against('str T2 95/5', 0.75, ['lru-cache']),
  against('str T2 95/5', 5, LMDB),
  against('str T2 95/5', 8, ['sharedmap']),
  against('str T2 95/5', 12, ['redis']),
  against('str T2 95/5 fresh', 0.8, ['lru-cache']),
  against('str T2 50/50', 0.5, ['lru-cache']),
  against('str T2 50/50', 60, ['lmdb putSync']),
  against('str T2 50/50', 6, ['lmdb batched']),
  against('json T2 95/5', 2.5, LMDB),
  against('json T2 95/5', 0.7, ['lru-cache'], FROZEN),
  against('buf T2 95/5', 2.2, LMDB),
  against('str P2 95/5', 3.5, LMDB),
  against('str P2 95/5', 10, ['redis']),
  {
    title: 'str get: T2 / T1 at least 0.92 of what a Map in each thread scales',
    wanted: 0.92,
    // Threads of different teams take no turns with each other: a ratio of medians.
    measure: (rounds) => {
      const scaling = (adapter: string): number =>
        median(rounds('str T2 get', adapter)) / median(rounds('str T1 get', adapter));
      return scaling(OWN) / scaling('map');
    },
  },
];

export function evaluateTargets(measurements: readonly Measurement[]): Target[] {
  const rounds: Rounds = (scenario, adapter) =>
    measurements.find((each) => each.scenario === scenario && each.adapter === adapter)?.rounds ?? [];
  return DEFINITIONS.map(({ title, wanted, measure }) => {
    const measured = measure(rounds);
    return { title, wanted, measured: Number.isNaN(measured) ? undefined : measured };
  });
}
