import type { OperationSnapshot } from '../snapshot.js';
import { summarize } from '../summary.js';
import type { MonitoredTotals, OperationSummary, ThroughputPoint } from '../types.js';
import { escapeHtml, formatBytes, formatCount, formatDuration, formatPercent } from './format.js';
import { hitRatioChart, throughputChart } from './over-time.js';
import { percentilePlot } from './percentiles.js';
import { STYLE } from './style.js';

/** Lines in the plot; the table has all operations. */
const MAX_SERIES = 8;
const NS_PER_MS = 1e6;

export interface ReportData {
  title: string;
  /** ms since the epoch. */
  start: number;
  end: number;
  operations: readonly [string, OperationSnapshot][];
  throughput: readonly ThroughputPoint[];
  totals: MonitoredTotals | undefined;
  dropped: number;
}

/** One HTML page without scripts or anything to fetch. */
export function renderReport(data: ReportData): string {
  const elapsedMs = data.end - data.start;
  const operations = [...data.operations].sort(([, a], [, b]) => b.operations - a.operations);
  const rows = operations.flatMap(([name, snapshot]): [string, OperationSummary][] => {
    const summary = summarize(snapshot, elapsedMs);
    return summary === undefined ? [] : [[name, summary]];
  });
  const sections = [
    operations.length === 0 ? '' : percentileSection(operations.slice(0, MAX_SERIES)),
    operations.length === 0 ? '' : tableSection(rows),
    data.throughput.length === 0
      ? ''
      : section(
          'Throughput',
          'Operations a second of all threads, over at most the last five minutes.',
          throughputChart(data.throughput),
        ),
    hitRatioSection(data),
    memorySection(data.totals),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeHtml(data.title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(data.title)}</h1>
<p>${timestamp(data.start)} to ${timestamp(data.end)}, ${formatDuration(elapsedMs * NS_PER_MS)}, all threads together</p>
${data.dropped === 0 ? '' : `<p class="warn">${formatCount(data.dropped)} records are missing from throughput: more threads recorded than the monitor has places for.</p>`}
${cards(data, rows)}
${sections.join('\n')}
</main>
</body>
</html>
`;
}

function cards({ totals, throughput }: ReportData, rows: readonly [string, OperationSummary][]): string {
  const total = rows.reduce((sum, [, { count }]) => sum + count, 0);
  const rate = rows.reduce((sum, [, { opsPerSecond }]) => sum + opsPerSecond, 0);
  const shown: [string, string][] = [
    [formatCount(total), 'operations'],
    [formatCount(rate), 'operations a second'],
  ];
  const ratio = hitRatio(totals, throughput);
  if (ratio !== undefined) shown.push([formatPercent(ratio), 'hit ratio']);
  if (totals !== undefined) shown.push([formatBytes(totals.memoryUsage), `of ${formatBytes(totals.maxBytes)} in use`]);
  return `<div class="cards">${shown.map(([value, label]) => `<div class="card"><b>${value}</b><span>${label}</span></div>`).join('')}</div>`;
}

function percentileSection(series: readonly [string, OperationSnapshot][]): string {
  const legend = series.map(([name], i) => `<span><i class="s${i}"></i>${escapeHtml(name)}</span>`).join('');
  return section(
    'Latency by percentile',
    'Each step to the right leaves ten times fewer operations that were slower. Both axes are logarithmic.',
    `<div class="legend">${legend}</div>${percentilePlot(series)}`,
  );
}

function tableSection(rows: readonly [string, OperationSummary][]): string {
  const head = ['operation', 'count', 'ops/s', 'success', 'mean', 'min', 'p50', 'p90', 'p99', 'p99.9', 'max'];
  const body = rows.map(([name, s], i) => {
    const swatch = i < MAX_SERIES ? `<i class="s${i}"></i>` : '';
    const durations = [s.avgDuration, s.min, s.p50, s.p90, s.p99, s.p999, s.max].map((ms) =>
      formatDuration(ms * NS_PER_MS),
    );
    const count = `${s.sampled ? '≈ ' : ''}${formatCount(s.count)}`;
    const cells = [count, formatCount(s.opsPerSecond), formatPercent(s.successRate), ...durations];
    return `<tr><td>${swatch}${escapeHtml(name)}</td>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  const note = rows.some(([, { sampled }]) => sampled)
    ? 'Counts marked ≈ were sampled: every timed operation stands for those passed over before it.'
    : 'Every operation was recorded.';
  const header = head.map((cell) => `<th scope="col">${cell}</th>`).join('');
  return section(
    'Operations',
    note,
    `<div class="scroll"><table><thead><tr>${header}</tr></thead><tbody>${body.join('')}</tbody></table></div>`,
  );
}

function hitRatioSection({ totals, throughput }: ReportData): string {
  const ratio = hitRatio(totals, throughput);
  if (ratio === undefined) return '';
  return section('Hit ratio', `${formatPercent(ratio)} of all lookups found a live entry.`, hitRatioChart(throughput));
}

function memorySection(totals: MonitoredTotals | undefined): string {
  if (totals === undefined) return '';
  const share = Math.min(1, totals.memoryUsage / totals.maxBytes);
  const text = `${formatBytes(totals.memoryUsage)} of ${formatBytes(totals.maxBytes)} hold ${formatCount(totals.totalObjects)} entries; ${leftText(totals)}.`;
  return section(
    'Memory',
    text,
    `<div class="meter"><div style="width:${formatPercent(share).replace(' ', '')}"></div></div>`,
  );
}

/** How many entries left, and why. */
function leftText({ evictions, left = { evicted: evictions } }: MonitoredTotals): string {
  const causes = Object.entries(left).filter(([, count]) => count > 0);
  if (causes.length === 0) return 'none has left';
  return `left have ${causes.map(([cause, count]) => `${formatCount(count)} ${cause}`).join(', ')}`;
}

/** The cache's own totals where there are any, otherwise what was recorded as get.hit and get.miss. */
function hitRatio(totals: MonitoredTotals | undefined, throughput: readonly ThroughputPoint[]): number | undefined {
  const hits = totals?.hits ?? throughput.reduce((sum, point) => sum + point.hits, 0);
  const misses = totals?.misses ?? throughput.reduce((sum, point) => sum + point.misses, 0);
  return hits + misses === 0 ? undefined : hits / (hits + misses);
}

const section = (title: string, text: string, content: string): string =>
  `<section><h2>${title}</h2><p>${text}</p>${content}</section>`;

const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
