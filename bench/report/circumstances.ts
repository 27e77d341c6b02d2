import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, platform, release } from 'node:os';

/** Where and when something was measured. */
export interface Circumstances {
  readonly machine: string;
  readonly cores: number;
  readonly system: string;
  readonly node: string;
  readonly commit: string;
  /** ISO 8601. */
  readonly date: string;
  /** Threads that ran or wanted to, over the last minute: on a quiet machine near 0 when a run begins. */
  readonly loadAtStart: number;
  readonly command: string;
}

/** `script` is the name in package.json; the arguments are this process's own. */
export function circumstances(script: string): Circumstances {
  const args = process.argv.slice(2);
  return {
    machine: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    system: `${platform()} ${release()}`,
    node: process.version,
    commit: commit(),
    date: new Date().toISOString(),
    loadAtStart: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    command: args.length === 0 ? `npm run ${script}` : `npm run ${script} -- ${args.join(' ')}`,
  };
}

/** In one line. */
export function describeCircumstances({
  machine,
  cores,
  system,
  node,
  commit,
  date,
  loadAtStart,
}: Circumstances): string {
  return `${machine}, ${cores} cores (load ${loadAtStart} at the start), ${system}, Node ${node}, commit ${commit}, ${date.slice(0, 10)}`;
}

/** Of the checkout, with a plus when its sources have changes; `unknown` outside of one. */
function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', 'src') === '' ? '' : '+');
  } catch {
    return 'unknown';
  }
}
