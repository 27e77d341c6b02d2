/** What redis-benchmark gets out of `mooncake-cache serve` and out of Redis, in turns: see USAGE. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { serverProgram, startServer } from '../../scripts/services/redis.js';
import { parseCounts, runCommand } from '../cli.js';
import { startProgress } from '../harness/progress.js';
import { circumstances } from '../report/circumstances.js';
import { writeResults } from '../report/results.js';
import { table } from '../report/tables.js';
import { ratios, type Spread, spread } from '../stats.js';

const USAGE = `Usage: npm run bench:resp -- [options]
redis-benchmark with 50 clients and 16 commands in a pipeline, 3-octet values under 100,000 keys, at 'mooncake-cache serve --resp'
and at a Redis or Valkey server of this machine, in turns.

  --rounds N      of each (default 7)
  --requests N    of each command in a round (default 200,000)
  --no-files      print, but write no files
  --help          prints this

Writes resp.json into bench/results.`;

const run = promisify(execFile);
const COMMANDS = ['SET', 'GET', 'INCR'];
const WANTED = 0.4;

interface Options {
  readonly rounds: number;
  readonly requests: number;
  readonly files: boolean;
}

interface Measured {
  readonly command: string;
  /** Requests a second. */
  readonly own: Spread;
  readonly redis: Spread;
  /** Round by round. */
  readonly ratio: Spread;
}

interface Serving {
  readonly port: number;
  stop(): Promise<unknown>;
}

async function serve(): Promise<Serving> {
  const program = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
  const child = spawn(process.execPath, [program, 'serve', '--size', '256MB', '--resp', '127.0.0.1:0', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const [line] = await Promise.race([once(child.stdout, 'data'), ended.then(() => ['{}'])]);
  const { port } = new URL(`tcp://${JSON.parse(String(line)).resp}`);
  const stop = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  return { port: Number(port), stop };
}

/** Requests a second of each command. */
async function measure(
  benchmark: string,
  env: NodeJS.ProcessEnv | undefined,
  port: number,
  requests: number,
): Promise<Map<string, number>> {
  const { stdout } = await run(
    benchmark,
    ['-p', `${port}`, '-t', 'set,get,incr', '-n', `${requests}`, '-P', '16', '-c', '50', '-r', '100000', '--csv'],
    { env },
  );
  return new Map([...stdout.matchAll(/^"(\w+)","([\d.]+)"/gm)].map(([, name, rate]) => [name as string, Number(rate)]));
}

async function main({ rounds, requests, files }: Options): Promise<void> {
  const where = circumstances('bench:resp');
  const program = serverProgram();
  if (program === undefined) throw new Error('no redis-server or valkey-server, and none could be installed');
  const benchmark = ['redis-benchmark', 'valkey-benchmark']
    .map((name) => join(dirname(program.path), name))
    .find((path) => existsSync(path));
  if (benchmark === undefined) throw new Error(`no redis-benchmark beside ${program.path}`);
  const own = await serve();
  const redis = await startServer(program, '--save', '');
  const progress = startProgress(2 * rounds);
  let done = 0;
  const rates = { own: [] as Map<string, number>[], redis: [] as Map<string, number>[] };
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [name, { port }] of Object.entries({ own, redis })) {
        progress.update(done++, name);
        rates[name as keyof typeof rates].push(await measure(benchmark, program.env, port, requests));
      }
    }
  } finally {
    progress.stop();
    await Promise.all([own.stop(), redis.stop()]);
  }
  const ratesOf = (maps: readonly Map<string, number>[], command: string): number[] =>
    maps.map((each) => each.get(command) ?? Number.NaN);
  const measured = COMMANDS.map((command): Measured => {
    const [ours, theirs] = [ratesOf(rates.own, command), ratesOf(rates.redis, command)];
    return { command, own: spread(ours), redis: spread(theirs), ratio: spread(ratios(ours, theirs)) };
  });
  console.log(
    table(
      ['command', 'this', 'Redis', 'ratio', 'from', 'to', `at least ${WANTED}`],
      measured.map(({ command, own: ours, redis: theirs, ratio }) => [
        command,
        ours.median.toFixed(0),
        theirs.median.toFixed(0),
        ...[ratio.median, ratio.min, ratio.max].map((value) => value.toFixed(2)),
        ratio.median >= WANTED ? 'met' : 'MISSED',
      ]),
    ),
  );
  const results = { ...where, rounds, requests, wanted: WANTED, measured };
  if (files)
    console.log(`\nwrote ${writeResults('resp', { json: `${JSON.stringify(results, null, 2)}\n` }).join(', ')}`);
}

await runCommand(
  USAGE,
  (args) =>
    parseCounts(args, {
      rounds: { usual: 7, min: 1, max: 1000 },
      requests: { usual: 200_000, min: 1_000, max: 100_000_000 },
    }),
  main,
);
