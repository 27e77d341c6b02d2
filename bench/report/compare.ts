import type { Measurement } from '../harness/measure.js';
import type { Results } from './results.js';
import { percent, short, table } from './tables.js';

/** What every measurement is also compared with: it takes the machine's mood out. */
const YARDSTICK = 'map';

/**
 * What changed since an earlier run, in itself and against a Map in each thread. A change is called one only where the
 * ranges of the two runs' rounds do not meet; in neither run is anything but what both measured.
 */
export function comparison(before: Results, now: Results): string {
  const rows = now.measurements.flatMap((measurement) => {
    const { scenario, adapter, opsPerSecond } = measurement;
    const earlier = find(before, scenario, adapter);
    if (earlier === undefined) return [];
    const change = opsPerSecond.median / earlier.opsPerSecond.median;
    const rates = [short(earlier.opsPerSecond.median), short(opsPerSecond.median)];
    const relative = change / (mapRate(now, scenario) / mapRate(before, scenario));
    return [[scenario, adapter, ...rates, signed(change), signed(relative), verdict(earlier, measurement)]];
  });
  if (rows.length === 0) return `Nothing was measured both by ${before.command} and by ${now.command}.`;
  const from = `commit ${before.commit}, ${before.date.slice(0, 10)}, ${before.machine}, Node ${before.node}`;
  const to = `commit ${now.commit}, ${now.date.slice(0, 10)}, ${now.machine}, Node ${now.node}`;
  const head = ['workload', 'way to share', 'before', 'now', 'change', `against ${YARDSTICK}`, 'rounds'];
  return `Before: ${from}\nNow:    ${to}\n\n${table(head, rows)}`;
}

function find({ measurements }: Results, scenario: string, adapter: string): Measurement | undefined {
  return measurements.find((each) => each.scenario === scenario && each.adapter === adapter);
}

const mapRate = (results: Results, scenario: string): number =>
  find(results, scenario, YARDSTICK)?.opsPerSecond.median ?? Number.NaN;

const signed = (ratio: number): string => (Number.isNaN(ratio) ? '' : `${ratio >= 1 ? '+' : ''}${percent(ratio - 1)}`);

function verdict({ opsPerSecond: before }: Measurement, { opsPerSecond: now }: Measurement): string {
  if (now.min > before.max) return 'all faster';
  if (now.max < before.min) return 'all slower';
  return 'overlap';
}
