import type { Measurement } from '../harness/measure.js';
import type { Target } from '../targets.js';

/** `1.23M`, `456k`, `78`. */
export function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  if (value >= 1e3) return `${(value / 1e3).toFixed(value >= 1e5 ? 0 : 1)}k`;
  return value.toFixed(0);
}

export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** A Markdown table, its columns as wide as their longest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}

export function measurementTable(measurements: readonly Measurement[]): string {
  return table(
    [
      'workload',
      'way to share',
      'ops/s',
      'min',
      'max',
      'MAD',
      'mooncake is',
      'from',
      'to',
      'p50 us',
      'p99 us',
      'waited',
    ],
    measurements.map(({ scenario, adapter, opsPerSecond, ratio, p50Us, p99Us, waitedShare }) => [
      scenario,
      adapter,
      ...[opsPerSecond.median, opsPerSecond.min, opsPerSecond.max].map(short),
      percent(opsPerSecond.mad / opsPerSecond.median),
      ...[ratio.median, ratio.min, ratio.max].map((times) => `${times.toFixed(2)} x`),
      p50Us.toFixed(1),
      p99Us.toFixed(1),
      percent(waitedShare),
    ]),
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
