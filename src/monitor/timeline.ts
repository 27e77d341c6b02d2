import { SECOND, TIMELINE_SECONDS } from './layout.js';
import type { MonitorMemory } from './memory.js';
import type { ThroughputPoint } from './types.js';

/** What a record counts as in the hit ratio. */
export type Outcome = 'hit' | 'miss' | undefined;

const slotOf = (memory: MonitorMemory, thread: number, second: number): number =>
  memory.layout.timelinesDouble + (thread * TIMELINE_SECONDS + (second % TIMELINE_SECONDS)) * SECOND.doubles;

/** Adds to the thread's current second; one writer. */
export function countSecond(
  memory: MonitorMemory,
  thread: number,
  second: number,
  operations: number,
  outcome: Outcome,
): void {
  const { doubles } = memory;
  const at = slotOf(memory, thread, second);
  if (doubles[at + SECOND.second] !== second) {
    doubles[at + SECOND.operations] = 0;
    doubles[at + SECOND.hits] = 0;
    doubles[at + SECOND.misses] = 0;
    doubles[at + SECOND.second] = second;
  }
  doubles[at + SECOND.operations] += operations;
  if (outcome === 'hit') doubles[at + SECOND.hits] += operations;
  else if (outcome === 'miss') doubles[at + SECOND.misses] += operations;
}

/**
 * The last seconds, at most TIMELINE_SECONDS, gaps included, the running one left out. A slot that is taken over while it
 * is read belonged to a second about to leave the window: at worst that oldest second reads low.
 */
export function readTimeline(memory: MonitorMemory, now: number): ThroughputPoint[] {
  const { doubles, dimensions, startedAt } = memory;
  const last = Math.floor(now / 1000) - 1;
  const first = Math.max(Math.floor(startedAt / 1000), last - TIMELINE_SECONDS + 2);
  const points: ThroughputPoint[] = [];
  for (let second = first; second <= last; second++) {
    const point = { second, operations: 0, hits: 0, misses: 0 };
    for (let thread = 0; thread < dimensions.threads; thread++) {
      const at = slotOf(memory, thread, second);
      if (doubles[at + SECOND.second] !== second) continue;
      point.operations += doubles[at + SECOND.operations];
      point.hits += doubles[at + SECOND.hits];
      point.misses += doubles[at + SECOND.misses];
    }
    points.push(point);
  }
  return points;
}
