import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, platform, release } from 'node:os';
import type { Effort, Measurement } from '../harness/measure.js';
import type { Target } from '../targets.js';

/** Seen from dist/bench/report. */
const RESULTS = new URL('../../../bench/results/', import.meta.url);

export interface Results {
  readonly machine: string;
  readonly cores: number;
  readonly system: string;
  readonly node: string;
  readonly commit: string;
  readonly date: string;
  readonly command: string;
  readonly effort: Effort;
  /** Adapters that could not run, and why. */
  readonly skipped: Readonly<Record<string, string>>;
  readonly measurements: readonly Measurement[];
  readonly targets: readonly Target[];
}

type Circumstances = Pick<Results, 'machine' | 'cores' | 'system' | 'node' | 'commit' | 'date' | 'command'>;

export function circumstances(): Circumstances {
  return {
    machine: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    system: `${platform()} ${release()}`,
    node: process.version,
    commit: commit(),
    date: new Date().toISOString(),
    command: ['node dist/bench/main.js', ...process.argv.slice(2)].join(' '),
  };
}

/** Of the checkout, with a plus when it has changes; `unknown` outside of one. */
function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', 'src') === '' ? '' : '+');
  } catch {
    return 'unknown';
  }
}

export function writeResult(fileName: string, text: string): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(new URL(fileName, RESULTS), text);
}

export function readResults(path: string): Results {
  return JSON.parse(readFileSync(path, 'utf8')) as Results;
}
