import { styleText } from 'node:util';
import type { HotKey } from '../index.js';
import type { Rates } from './rates.js';

/** Cells of the bar that shows how full the cache is. */
const BAR_CELLS = 30;
const NAME_CELLS = 10;
const NUMBER_CELLS = 12;
/** Most characters of an operation's name, and of a key or the names of its namespaces. */
const MOST_OF_NAME = 40;
const MOST_OF_KEY = 60;

/** Whole, with commas. */
export const number = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const duration = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

const share = (part: number | null): string => (part === null ? '–' : `${(part * 100).toFixed(1)} %`);
const perSecond = (rate: number): string => `${number.format(rate)}/s`;
export const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

/** One line, for a log or a pipe. */
export function lineOf({ at, stats, perSecond: { gets, puts, deletes }, hitRatio, left, hottest }: Rates): string {
  const leaving = Object.values(left).reduce((sum, rate) => sum + rate, 0);
  const [first] = hottest?.keys ?? [];
  return [
    new Date(at).toISOString().slice(11, 19),
    `gets ${perSecond(gets)}`,
    `hits ${share(hitRatio)}`,
    `puts ${perSecond(puts)}`,
    `deletes ${perSecond(deletes)}`,
    `left ${perSecond(leaving)}`,
    `entries ${number.format(stats.totalObjects)}`,
    `memory ${share(stats.memoryUsage / stats.maxBytes)}`,
    ...(first === undefined ? [] : [`hottest ${share(first.share)} ${placeOf(first)}`]),
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
    ...hottestLines(rates, row),
    '',
    dim('Ctrl-C ends'),
  ].join('\n');
}

function latencyLines(latency: Rates['latency'], row: (name: string, ...cells: string[]) => string): string[] {
  const operations = Object.entries(latency);
  if (operations.length === 0) return [];
  const lines = operations.map(([name, { p50, p99, max }]) =>
    row(printable(name, MOST_OF_NAME), ...[p50, p99, max].map((ms) => duration.format(ms))),
  );
  return [row('ms', 'p50', 'p99', 'max'), ...lines, ''];
}

function hottestLines({ at, hottest }: Rates, row: (name: string, ...cells: string[]) => string): string[] {
  if (hottest === null) return [`${row('hottest')} keys are known of a cache with a monitor`];
  const { notes, since, keys } = hottest;
  const seconds = Math.max(1, Math.round((at - since) / 1_000));
  return [
    `${row('hottest', 'share', 'about', 'reads')}  estimated from ${number.format(notes)} operations of the last ${seconds} s`,
    ...keys.map((key) => {
      const cells = [share(key.share), perSecond(key.opsPerSecond), share(key.reads / key.notes)];
      return `${row('', ...cells)}  ${placeOf(key)}`;
    }),
  ];
}

/** A key, and the names of its namespaces. */
function placeOf({ key, namespaces, isCut }: HotKey): string {
  const text = key === '' && !isCut ? '""' : printable(isCut ? `${key}…` : key, MOST_OF_KEY);
  return namespaces.length === 0 ? text : `${text} in ${printable(namespaces.join('/'), MOST_OF_KEY)}`;
}

/** A text of the user's without what a terminal would obey, and not too long. */
function printable(text: string, most: number): string {
  const characters = [...text.replaceAll(/\p{C}/gu, '?')];
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : characters.join('');
}
