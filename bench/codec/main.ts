/**
 * Chooses the default codec: first what each candidate keeps, then what it costs. Prints both tables and writes them to
 * bench/results/codec.json and codec.md. `--time=MS` (default 200) is the measuring time of each cell.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Bench } from 'tinybench';
import { CASES, keeps } from './fidelity.js';
import { allRivals, type Rival } from './rivals.js';
import { VALUE_SETS, type ValueSet } from './values.js';

const RESULTS = new URL('../../../bench/results/', import.meta.url);

interface Speed {
  readonly rival: string;
  readonly values: string;
  readonly sizeBytes: number;
  /** Medians, nanoseconds a value. */
  readonly encodeNs: number;
  readonly decodeNs: number;
}

function measure(rivals: readonly Rival[], { name, values }: ValueSet, timeMs: number): Speed[] {
  const bench = new Bench({ time: timeMs, warmupTime: timeMs / 2 });
  const encoded = rivals.map((rival) => values.map((value) => rival.encoded(value)));
  for (const [r, rival] of rivals.entries()) {
    bench.add(`${rival.name} encode`, () => {
      for (const value of values) rival.encode(value);
    });
    bench.add(`${rival.name} decode`, () => {
      for (const bytes of encoded[r]) rival.decode(bytes);
    });
  }
  bench.runSync();
  const medianNs = (task: string): number => {
    const result = bench.getTask(task)?.result;
    if (result?.state !== 'completed') throw new Error(`${task}: ${result?.state}`, { cause: result });
    return Math.round((result.latency.p50 * 1e6) / values.length);
  };
  return rivals.map((rival, r) => ({
    rival: rival.name,
    values: name,
    sizeBytes: Math.round(encoded[r].reduce((sum, { bytes }) => sum + bytes.length, 0) / values.length),
    encodeNs: medianNs(`${rival.name} encode`),
    decodeNs: medianNs(`${rival.name} decode`),
  }));
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const { values: flags } = parseArgs({ options: { time: { type: 'string', default: '200' } } });
const rivals = allRivals();
const fidelity = CASES.map((each) => ({ case: each.name, kept: rivals.map((rival) => keeps(rival, each)) }));
const fidelityTable = table(
  ['value', ...rivals.map(({ name }) => name)],
  fidelity.map((row) => [row.case, ...row.kept.map((kept) => (kept ? 'yes' : '**no**'))]),
);
console.log(`${fidelityTable}\n`);

const speeds: Speed[] = [];
for (const set of VALUE_SETS) {
  // Only those that keep these values are worth a time.
  const able = rivals.filter((rival) => set.values.every((value) => keeps(rival, { name: set.name, value })));
  speeds.push(...measure(able, set, Number(flags.time)));
}
const speedTable = table(
  ['values', 'codec', 'bytes', 'encode ns', 'decode ns'],
  speeds.map((speed) => [speed.values, speed.rival, speed.sizeBytes, speed.encodeNs, speed.decodeNs]),
);
console.log(speedTable);

const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const machine = `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} threads, Node ${process.version}`;
const notes = [
  `${machine}, commit ${commit}, \`npm run bench:codec\`.`,
  'Medians; the machine had other work, so compare within one set of values. Decoding by this library includes the copy',
  'out of shared memory. A codec is only timed on values it keeps.',
].join('\n');
mkdirSync(RESULTS, { recursive: true });
writeFileSync(new URL('codec.json', RESULTS), `${JSON.stringify({ machine, commit, fidelity, speeds }, null, 2)}\n`);
writeFileSync(
  new URL('codec.md', RESULTS),
  `# Codecs\n\n${notes}\n\n## What is kept\n\n${fidelityTable}\n\n## What it costs\n\n${speedTable}\n`,
);
