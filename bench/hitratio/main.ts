/**
 * Hit ratios of the cache itself over a recorded trace, beside those of the optimum and of an exact LRU.
 *
 *   npm run bench:hitratio -- --trace FILE --entries N[,N...] [--policy a,b,c] [--shards N] [--out DIRECTORY]
 *   npm run bench:hitratio -- --gates --traces DIRECTORY [--only trace,trace]
 *
 * A trace has one key a line, gzipped or not. Prints a table and draws it as hitratio-TRACE.svg in bench/results, with the
 * numbers beside it, or in `--out`. `--gates` checks what the policies promise and exits with 1 if any of it does not hold.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { EvictionName } from '../../src/index.js';
import { circumstances } from '../report/circumstances.js';
import { writeResults } from '../report/results.js';
import { drawChart, type Series } from './chart.js';
import { runGates } from './gates.js';
import { belady, exactLru } from './references.js';
import { replay } from './replay.js';
import { readTrace } from './trace.js';

/** A line of the chart, its values measured as the table is printed. */
interface Column extends Series {
  readonly values: number[];
  /** In percent. */
  readonly hitRatio: (entries: number) => number;
}

const ALL_POLICIES = 'adaptive,s3-fifo,lru,lfu,fifo';

const { values: options } = parseArgs({
  options: {
    trace: { type: 'string' },
    entries: { type: 'string' },
    policy: { type: 'string', default: ALL_POLICIES },
    shards: { type: 'string' },
    out: { type: 'string' },
    gates: { type: 'boolean', default: false },
    traces: { type: 'string' },
    only: { type: 'string' },
  },
});

if (options.gates && options.traces !== undefined) {
  const failures = runGates(options.traces, options.only?.split(',') ?? []);
  console.log(failures === 0 ? 'all gates pass' : `${failures} gates fail`);
  process.exitCode = failures === 0 ? 0 : 1;
} else if (options.trace !== undefined && options.entries !== undefined) {
  const capacities = options.entries.split(',').map(Number);
  if (!capacities.every((entries) => Number.isInteger(entries) && entries > 0)) {
    throw new TypeError(`--entries takes whole numbers above zero, not ${options.entries}`);
  }
  compare(options.trace, capacities, options.policy.split(',') as EvictionName[]);
} else {
  console.error('usage: --trace FILE --entries N[,N...] [--policy a,b,c] [--shards N] | --gates --traces DIRECTORY');
  process.exitCode = 2;
}

function compare(file: string, capacities: readonly number[], policies: readonly EvictionName[]): void {
  const trace = readTrace(file);
  const where = circumstances('bench:hitratio');
  const shards = options.shards === undefined ? undefined : Number(options.shards);
  const columns: Column[] = [
    { name: 'optimum', reference: true, values: [], hitRatio: (entries) => belady(trace.requests, entries) },
    { name: 'exact LRU', reference: true, values: [], hitRatio: (entries) => exactLru(trace.requests, entries) },
    ...policies.map((policy) => ({
      name: policy,
      reference: false,
      values: [],
      hitRatio: (entries: number) => replay(trace, policy, entries, shards),
    })),
  ];
  const cell = (text: string): string => `${text.padStart(10)} `;
  console.log(`${trace.name}: ${trace.requests.length} requests, ${trace.keys.length} keys; hit ratio in %`);
  console.log(['entries', ...columns.map(({ name }) => name)].map(cell).join(''));
  for (const entries of capacities) {
    process.stdout.write(cell(String(entries)));
    for (const { hitRatio, values } of columns) {
      const percent = hitRatio(entries);
      values.push(percent);
      process.stdout.write(cell(percent.toFixed(2)));
    }
    console.log();
  }
  const hitRatios = Object.fromEntries(columns.map(({ name, values }) => [name, values]));
  const results = { trace: trace.name, ...where, entries: capacities, hitRatios };
  const files = { json: `${JSON.stringify(results, null, 2)}\n`, svg: drawChart(trace.name, capacities, columns) };
  const name = `hitratio-${trace.name}`;
  if (options.out === undefined) console.log(`written: ${writeResults(name, files).join(', ')}`);
  else {
    mkdirSync(options.out, { recursive: true });
    for (const [ending, text] of Object.entries(files)) writeFileSync(join(options.out, `${name}.${ending}`), text);
    console.log(`written into ${options.out}`);
  }
}
