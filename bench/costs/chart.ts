import type { Spread } from '../stats.js';

/** A target that a chart's points answer. */
export interface Bound {
  readonly title: string;
  readonly unit: string;
  readonly wanted: number;
  /** Whether `wanted` is the most or the least that will do. */
  readonly kind: 'at most' | 'at least';
  /** NaN where a point is missing. */
  readonly measured: number;
}

/** One series at one x. */
export interface Point {
  readonly series: string;
  readonly x: number;
  /** In the unit of the chart's y axis. */
  readonly y: Spread;
  /** Every round's, in order. */
  readonly rounds: readonly number[];
}

/** Hears what is being measured, once a round of one point. */
export type Tick = (label: string) => void;

/** One of the charts of bench/costs: what grows, and what is measured while it does. */
export interface CostChart {
  /** Name of the files and of the choice on the command line. */
  readonly name: string;
  readonly title: string;
  /** What is done, in one line. */
  readonly workload: string;
  readonly xTitle: string;
  readonly yTitle: string;
  /** Lines where x is a quantity, bars where it numbers things. */
  readonly shape: 'lines' | 'bars';
  /** The series whose bars stand out. */
  readonly emphasis?: string;
  /** How the axis writes an x. */
  label(x: number): string;
  /** How many ticks `measure` gives. */
  ticks(effort: CostEffort): number;
  measure(effort: CostEffort, tick: Tick): Promise<Costs> | Costs;
}

export interface Costs {
  readonly points: readonly Point[];
  readonly bounds: readonly Bound[];
}

export interface CostEffort {
  readonly rounds: number;
  readonly roundMs: number;
  /** The largest points as well. */
  readonly full: boolean;
  readonly seed: number;
}

/** Median at a point, NaN where it was not measured. */
export function at(points: readonly Point[], series: string, x: number): number {
  return points.find((point) => point.series === series && point.x === x)?.y.median ?? Number.NaN;
}
