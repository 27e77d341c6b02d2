import { styleText } from 'node:util';
import type { Rates } from './rates.js';

/** Cells of the bar that shows how full the cache is. */
const BAR_CELLS = 30;
const NAME_CELLS = 10;
const NUMBER_CELLS = 12;

/** Whole, with commas. */
export const number = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const duration = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

const share = (part: number | null): string => (part === null ? '–' : `${(part * 100).toFixed(1)} %`);
const perSecond = (rate: number): string => `${number.format(rate)}/s`;
export const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

/** One line, for a log or a pipe. */
export function lineOf({ at, stats, perSecond: { gets, puts, deletes }, hitRatio, left }: Rates): string {
  const leaving = Object.values(left).reduce((sum, rate) => sum + rate, 0);
  return [
    new Date(at).toISOString().slice(11, 19),
    `gets ${perSecond(gets)}`,
    `hits ${share(hitRatio)}`,
    `puts ${perSecond(puts)}`,
    `deletes ${perSecond(deletes)}`,
    `left ${perSecond(leaving)}`,
    `entries ${number.format(stats.totalObjects)}`,
    `memory ${share(stats.memoryUsage / stats.maxBytes)}`,
  ].join('  ');
}

/** A screenful, for a terminal. */
export function screenOf(path: string, rates: Rates, hasColors: boolean): string {
  const { stats, perSecond: each, hitRatio, left, latency } = rates;
  // The caller knows whether the stream has colors.
  const style = (name: 'bold' | 'dim', text: string): string =>
    hasColors ? styleText(name, text, { validateStream: false }) : text;
  const bold = (text: string): string => style('bold', text);
  const dim = (text: string): string => style('dim', text);
  const row = (name: string, ...cells: string[]): string =>
    `${dim(name.padEnd(NAME_CELLS))}${cells.map((cell) => cell.padStart(NUMBER_CELLS)).join('')}`;
  const full = Math.min(1, stats.memoryUsage / stats.maxBytes);
  const cells = Math.round(full * BAR_CELLS);
  const causes = Object.entries(left).map(([cause, rate]) => `${cause} ${perSecond(rate)}`);
  return [
    `${bold(path)}  ${number.format(stats.totalObjects)} entries, ${stats.threads} threads`,
    '',
    `${dim('memory'.padEnd(NAME_CELLS))} ${'█'.repeat(cells)}${'░'.repeat(BAR_CELLS - cells)} ${share(full)} of ${megabytes(stats.maxBytes)}`,
    `${row('gets', perSecond(each.gets), share(hitRatio))} hits, ${share(stats.hitRatio)} since the start`,
    row('puts', perSecond(each.puts)),
    row('deletes', perSecond(each.deletes)),
    `${row('loads', perSecond(each.loads))}, ${perSecond(each.waits)} waited for another's`,
    `${dim('left'.padEnd(NAME_CELLS))} ${causes.join('  ')}`,
    '',
    ...latencyLines(latency, row),
    dim('Ctrl-C ends'),
  ].join('\n');
}

function latencyLines(latency: Rates['latency'], row: (name: string, ...cells: string[]) => string): string[] {
  const operations = Object.entries(latency);
  if (operations.length === 0) return [];
  const lines = operations.map(([name, { p50, p99, max }]) =>
    row(printable(name), ...[p50, p99, max].map((ms) => duration.format(ms))),
  );
  return [row('ms', 'p50', 'p99', 'max'), ...lines, ''];
}

/** A name of the user's without what a terminal would obey. */
const printable = (name: string): string => name.replaceAll(/\p{C}/gu, '?').slice(0, 40);
