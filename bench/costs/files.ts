import { barChart } from '../report/chart.js';
import { type Circumstances, describeCircumstances } from '../report/circumstances.js';
import { lineChart } from '../report/line-chart.js';
import { percent, short, table } from '../report/tables.js';
import type { Bound, CostChart, CostEffort, Costs } from './chart.js';

/** One chart's results with all that is needed to judge them. */
export interface CostResults extends Circumstances, Costs {
  readonly chart: string;
  readonly effort: CostEffort;
}

/** File endings and contents: json (everything), svg (the chart). */
export function costFiles(chart: CostChart, results: CostResults): Record<'json' | 'svg', string> {
  return { json: `${JSON.stringify(results, null, 2)}\n`, svg: draw(chart, results) };
}

function draw(chart: CostChart, results: CostResults): string {
  const { title, workload, xTitle, yTitle, shape } = chart;
  const { points } = results;
  const notes = [workload, describeCircumstances(results)];
  const series = [...new Set(points.map((point) => point.series))];
  if (shape === 'lines') {
    const lines = series.map((name) => ({
      name,
      points: points
        .filter((point) => point.series === name)
        .map(({ x, y }) => ({ x, y: y.median, low: y.min, high: y.max })),
    }));
    return lineChart({ title, notes, xTitle, yTitle, label: (x) => chart.label(x), lines });
  }
  const panels = [...new Set(points.map(({ x }) => x))].map((x) => ({
    title: `${chart.label(x)}, ${yTitle}`,
    bars: points
      .filter((point) => point.x === x)
      .map(({ series: label, y }) => ({
        label,
        value: y.median,
        low: y.min,
        high: y.max,
        highlighted: label === chart.emphasis,
      })),
  }));
  return barChart(title, notes, panels);
}

export function costTable(chart: CostChart, { points }: Costs): string {
  return table(
    [chart.xTitle, 'what', chart.yTitle, 'min', 'max', 'MAD'],
    points.map(({ series, x, y }) => [
      chart.label(x),
      series,
      ...[y.median, y.min, y.max].map(short),
      percent(y.mad / y.median),
    ]),
  );
}

export function boundTable(bounds: readonly Bound[]): string {
  return table(
    ['target', 'wanted', 'measured', ''],
    bounds.map(({ title, unit, kind, wanted, measured }) => {
      if (Number.isNaN(measured)) return [title, `${kind} ${wanted} ${unit}`, 'not measured', ''];
      const met = kind === 'at most' ? measured <= wanted : measured >= wanted;
      return [title, `${kind} ${wanted} ${unit}`, `${measured.toFixed(2)} ${unit}`, met ? 'met' : 'MISSED'];
    }),
  );
}
