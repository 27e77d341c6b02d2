import type { Measurement } from '../harness/measure.js';
import type { Target } from '../targets.js';
import type { Results } from './results.js';

/** `1.23M`, `456k`, `78`. */
export function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  if (value >= 1e3) return `${(value / 1e3).toFixed(value >= 1e5 ? 0 : 1)}k`;
  return value.toFixed(0);
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}

export function measurementTable(measurements: readonly Measurement[]): string {
  const ours = new Map(
    measurements.filter(({ adapter }) => adapter === 'mooncake').map((m) => [m.scenario, m.opsPerSecond.median]),
  );
  return table(
    ['workload', 'way to share', 'ops/s', 'min', 'max', 'MAD', 'mooncake is', 'p50 us', 'p99 us', 'waited'],
    measurements.map(({ scenario, adapter, opsPerSecond: { median, min, max, mad }, p50Us, p99Us, waitedShare }) => {
      const own = ours.get(scenario);
      const ratio = own === undefined ? '' : `${(own / median).toFixed(2)} x`;
      const rates = [median, min, max].map(short);
      return [
        scenario,
        adapter,
        ...rates,
        percent(mad / median),
        ratio,
        p50Us.toFixed(1),
        p99Us.toFixed(1),
        percent(waitedShare),
      ];
    }),
  );
}

export function targetTable(targets: readonly Target[]): string {
  return table(
    ['target', 'measured', ''],
    targets.map(({ title, wanted, measured }) => {
      if (measured === undefined) return [title, 'not measured', ''];
      return [title, `${measured.toFixed(2)}`, measured >= wanted ? 'met' : 'MISSED'];
    }),
  );
}

/** What changed since an earlier run, in itself and against a Map in each thread, which takes the machine's mood out. */
export function comparisonTable(before: Results, now: Results): string {
  const find = ({ measurements }: Results, scenario: string, adapter: string): Measurement | undefined =>
    measurements.find((each) => each.scenario === scenario && each.adapter === adapter);
  const rows = now.measurements.flatMap((measurement) => {
    const { scenario, adapter, opsPerSecond } = measurement;
    const earlier = find(before, scenario, adapter);
    if (earlier === undefined) return [];
    const change = opsPerSecond.median / earlier.opsPerSecond.median;
    const mapNow = find(now, scenario, 'map')?.opsPerSecond.median;
    const mapBefore = find(before, scenario, 'map')?.opsPerSecond.median;
    const relative = mapNow === undefined || mapBefore === undefined ? '' : percent((change * mapBefore) / mapNow - 1);
    const apart =
      opsPerSecond.min > earlier.opsPerSecond.max || opsPerSecond.max < earlier.opsPerSecond.min ? 'yes' : 'no';
    const rates = [short(earlier.opsPerSecond.median), short(opsPerSecond.median)];
    return [[scenario, adapter, ...rates, percent(change - 1), relative, apart]];
  });
  return table(['workload', 'way to share', 'before', 'now', 'change', 'against map', 'ranges apart'], rows);
}
