import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../cli.js';
import type { Effort } from '../harness/effort.js';
import type { Measurement } from '../harness/measure.js';
import type { Target } from '../targets.js';
import { barChart } from './chart.js';
import { type Circumstances, describeCircumstances } from './circumstances.js';
import { measurementTable, targetTable } from './tables.js';

/** Seen from dist/bench/report. */
const RESULTS = new URL('../../../bench/results/', import.meta.url);

export interface Results extends Circumstances {
  /** What was asked for; each measurement says how long its rounds were in the end. */
  readonly effort: Effort;
  /** Adapters that could not run, and why. */
  readonly skipped: Readonly<Record<string, string>>;
  readonly measurements: readonly Measurement[];
  readonly targets: readonly Target[];
}

/** File endings and contents: json (everything), md (tables), svg (a chart). */
export function resultFiles(results: Results): Record<'json' | 'md' | 'svg', string> {
  const { command, measurements, targets, skipped } = results;
  const where = describeCircumstances(results);
  const panels = [...new Set(measurements.map(({ scenario }) => scenario))].map((title) => ({
    title,
    bars: measurements
      .filter(({ scenario }) => scenario === title)
      .map(({ adapter, opsPerSecond: { median, min, max } }) => {
        return { label: adapter, value: median, low: min, high: max, highlighted: adapter === 'mooncake' };
      }),
  }));
  const notes = [
    `${where}, \`${command}\`.`,
    'Operations a second over all threads, medians of interleaved rounds. Each load thread’s waiting for a core is taken off',
    'its time; a server’s or owner’s own waiting is not. map and lru-cache share nothing.',
    ...Object.entries(skipped).map(([name, reason]) => `\nNot measured: ${name} (${reason}).`),
  ].join('\n');
  const tables = `## Targets\n\n${targetTable(targets)}\n\n## Rates\n\n${measurementTable(measurements)}\n`;
  return {
    json: `${JSON.stringify(results, null, 2)}\n`,
    md: `# Ways to share, in one run\n\n${notes}\n\n${tables}`,
    svg: barChart('Operations a second', [where], panels),
  };
}

/**
 * Writes `<name>.<ending>` for each ending into bench/results, and the tables of README and docs that show them. Returns the
 * files' paths from the package's root.
 */
export function writeResults(name: string, files: Readonly<Record<string, string>>): string[] {
  mkdirSync(RESULTS, { recursive: true });
  const paths = Object.entries(files).map(([ending, text]) => {
    writeFileSync(new URL(`${name}.${ending}`, RESULTS), text);
    return `bench/results/${name}.${ending}`;
  });
  execFileSync(process.execPath, [fileURLToPath(new URL('../../scripts/figures.mjs', RESULTS))]);
  return paths;
}

/** Throws a UsageError for anything but the JSON of an earlier run. */
export function readResults(path: string): Results {
  let read: unknown;
  try {
    read = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`--compare: cannot read ${path}: ${(error as Error).message}`);
  }
  if (!Array.isArray((read as Partial<Results> | null)?.measurements))
    throw new UsageError(`--compare: ${path} holds no results of this benchmark`);
  return read as Results;
}
