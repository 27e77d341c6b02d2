/** The same requests over the same threads with three ways to cache, and a table of what each way cost. */

import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Panel, writeChart } from '../chart.js';
import type { AnalysisOptions } from '../options.js';
import { formatTable, kilobytes, percent } from '../table.js';
import type { Closure } from './closure.js';
import { findEntries } from './entries.js';
import { type Measured, measureNoCache, measurePerThread, measureShared } from './measure.js';

/** How many of the heaviest packages are shown. */
const SHOWN = 5;

export async function runAnalysis({ dir, limit, threads, svg }: AnalysisOptions): Promise<void> {
  const { root, requests, files, bytes } = findEntries(dir, limit);
  console.log(`${basename(root)}: ${files} source files, ${(bytes / 1024 / 1024).toFixed(1)} MB`);
  console.log(`${requests.length} requests, each for all that one package imports, over ${threads} threads\n`);
  const tasks = requests.map(({ entry }) => ({ entry, root }));
  const runs = [
    await measureNoCache(tasks, threads),
    await measurePerThread(tasks, threads),
    await measureShared(tasks, threads),
  ];
  for (const run of runs) assertSame(runs[0], run);

  const names = requests.map(({ name }) => name);
  console.log(heaviest(names, runs[0].closures));
  console.log(summary(runs));
  if (svg !== undefined) writeChart(svg, panels(runs));
}

function assertSame(expected: Measured, actual: Measured): void {
  if (isDeepStrictEqual(expected.closures, actual.closures)) return;
  throw new Error(`"${actual.label}" found other results than "${expected.label}"`);
}

function heaviest(names: readonly string[], closures: readonly Closure[]): string {
  const order = names.map((name, index) => ({ name, closure: closures[index] }));
  order.sort((a, b) => b.closure.brotliBytes - a.closure.brotliBytes);
  const rows = order
    .slice(0, SHOWN)
    .map(({ name, closure }) => [
      name,
      String(closure.files),
      String(closure.functions),
      kilobytes(closure.bytes),
      kilobytes(closure.gzipBytes),
      kilobytes(closure.brotliBytes),
    ]);
  return `\nThe heaviest to import\n${formatTable(['package', 'files', 'functions', 'source', 'gzip', 'brotli'], rows)}\n`;
}

function summary(runs: readonly Measured[]): string {
  const rows = runs.map(({ label, wallMs, lookups, computations, cacheBytes }) => [
    label,
    `${(wallMs / 1000).toFixed(2)} s`,
    `${(runs[0].wallMs / wallMs).toFixed(2)} x`,
    lookups.toLocaleString('en'),
    computations.toLocaleString('en'),
    percent(lookups - computations, lookups),
    kilobytes(cacheBytes),
  ]);
  const header = [
    'The same results, with',
    'wall time',
    'speed',
    'lookups',
    'computations',
    'hit ratio',
    'cache memory',
  ];
  return formatTable(header, rows);
}

function panels(runs: readonly Measured[]): Panel[] {
  return [
    {
      title: 'Wall time',
      bars: runs.map(({ label, wallMs }) => ({ label, value: wallMs, text: `${(wallMs / 1000).toFixed(2)} s` })),
    },
    {
      title: 'Files analysed',
      bars: runs.map(({ label, computations }) => ({ label, value: computations, text: String(computations) })),
    },
  ];
}
