import type { Measurement } from './harness/measure.js';

/** A ratio this cache is meant to reach within one run. */
export interface Target {
  readonly title: string;
  readonly wanted: number;
  /** Undefined where the run lacks a measurement. */
  readonly measured: number | undefined;
}

type Rate = (scenario: string, adapter?: string) => number;

interface Definition {
  readonly title: string;
  readonly wanted: number;
  /** NaN where a measurement is missing. */
  measure(rate: Rate): number;
}

function against(scenario: string, wanted: number, ...rivals: string[]): Definition {
  return {
    title: `${scenario}: at least ${wanted} x ${rivals.join(' or ')}`,
    wanted,
    measure: (rate) => rate(scenario) / Math.max(...rivals.map((rival) => rate(scenario, rival))),
  };
}

const LMDB = ['lmdb putSync', 'lmdb batched'];

const DEFINITIONS: readonly Definition[] = [
  against('str T2 95/5', 5, ...LMDB),
  against('str T2 95/5', 8, 'sharedmap'),
  against('str T2 95/5', 12, 'redis'),
  against('str T2 95/5', 0.6, 'lru-cache'),
  against('str T2 95/5 fresh', 1, 'lru-cache'),
  against('str T2 50/50', 40, 'lmdb putSync'),
  against('str T2 50/50', 5, 'lmdb batched'),
  against('json T2 95/5', 1.5, ...LMDB),
  against('buf T2 95/5', 2, ...LMDB),
  against('str P2 95/5', 3.5, ...LMDB),
  against('str P2 95/5', 10, 'redis'),
  {
    title: 'str get: T2 / T1 at least 0.92 of what a Map in each thread scales',
    wanted: 0.92,
    measure: (rate) =>
      rate('str T2 get') / rate('str T1 get') / (rate('str T2 get', 'map') / rate('str T1 get', 'map')),
  },
];

export function evaluateTargets(measurements: readonly Measurement[]): Target[] {
  const rate: Rate = (scenario, adapter = 'mooncake') =>
    measurements.find((each) => each.scenario === scenario && each.adapter === adapter)?.opsPerSecond.median ??
    Number.NaN;
  return DEFINITIONS.map(({ title, wanted, measure }) => {
    const measured = measure(rate);
    return { title, wanted, measured: Number.isNaN(measured) ? undefined : measured };
  });
}
