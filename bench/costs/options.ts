import { parseArgs } from 'node:util';
import { UsageError, wholeOption } from '../cli.js';
import type { CostEffort } from './chart.js';

export const USAGE = `Usage: npm run bench:costs -- [options]
What this cache costs as the work grows: by capacity, by size of the value, by number of threads, also more than there are cores, and of processes, to open
one by its path, with eviction and monitoring off and on.

  --full          up to 10 M entries instead of 1 M (needs 8 GB of memory)
  --only NAMES    comma-separated: capacity, values, threads, crowd, processes, open, eviction, monitor
  --rounds N      rounds of each point (default 7)
  --round-ms N    their length in ms (default 100)
  --seed N        of keys and values (default 1)
  --no-files      print, but write no files
  --help          prints this

Writes cost-NAME.json and .svg for each chart into bench/results.`;

export interface CostOptions {
  readonly charts: readonly string[];
  readonly effort: CostEffort;
  readonly files: boolean;
}

/** Throws a UsageError, or an error of parseArgs, for whatever the usage does not allow. */
export function parseCostOptions(args: readonly string[], names: readonly string[]): CostOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      full: { type: 'boolean', default: false },
      only: text,
      rounds: { ...text, default: '7' },
      'round-ms': { ...text, default: '100' },
      seed: { ...text, default: '1' },
      'no-files': { type: 'boolean', default: false },
    },
  });
  const wanted = values.only?.split(',').map((name) => name.trim()) ?? names;
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UsageError(`--only: there is no chart '${unknown}', only ${names.join(', ')}`);
  return {
    charts: names.filter((name) => wanted.includes(name)),
    effort: {
      full: values.full,
      rounds: wholeOption('rounds', values.rounds, { min: 1, max: 1000 }),
      roundMs: wholeOption('round-ms', values['round-ms'], { min: 1, max: 60_000 }),
      seed: wholeOption('seed', values.seed, { min: 0, max: 2 ** 32 - 1 }),
    },
    files: !values['no-files'],
  };
}
