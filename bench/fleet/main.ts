/** What a fleet's reads cost, and how old they are: see USAGE. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Program } from '../../scripts/services/debian.js';
import {
  command,
  kindOf,
  type Server,
  type ServerKind,
  serverProgram,
  startServer,
  versionOf,
} from '../../scripts/services/redis.js';
import { runCommand, UsageError, wholeOption } from '../cli.js';
import { startProgress } from '../harness/progress.js';
import { circumstances, describeCircumstances } from '../report/circumstances.js';
import { short, table } from '../report/tables.js';
import { median, quantile } from '../stats.js';
import type { FleetOrder, FleetSeat, Round, Sightings } from './member.js';
import { RIVALS } from './rivals.js';

const USAGE = `Usage: npm run bench:fleet -- [options]
Two processes that share a cache through one server: mooncake-cache/tier beside bentocache (memory, redis, bus), cacheable (memory
and @keyv/redis) and @redis/client alone, in turns. Reads of which 95 % are of keys that were read before; commands that reached the
server; and, while one process overwrites keys, how old what the other reads is.

  --rounds N      of each (default 7)
  --round-ms N    their length in ms (default 1,500)
  --server KIND   redis, valkey or either (default either: Redis if it can be had)
  --help          prints this`;

const KEYS = 10_000;
const VALUE_BYTES = 100;
const MISSES_OF_100 = 5;
const VERSIONS = 40;
/** Longer than the writes take, ms. */
const WATCH_MS = 2_000;
/** A read this much later than the next write's acknowledgment is stale, ms. */
const STALE_MS = 50;
/** Reads that are under way at one time in a process, as in a busy server. */
const AT_ONCE = 8;

interface Options {
  readonly rounds: number;
  readonly roundMs: number;
  readonly server: ServerKind;
}

/** Two processes of one rival. */
class Pair {
  readonly #children: readonly ChildProcess[];

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
  }

  static async start(rival: string, url: string): Promise<Pair> {
    const program = fileURLToPath(new URL('member.js', import.meta.url));
    const children = [1, 2].map((seed) => {
      const seat: FleetSeat = { rival, url, keys: KEYS, valueBytes: VALUE_BYTES, missesOf100: MISSES_OF_100, seed };
      return fork(program, [JSON.stringify(seat)], { execArgv: [] });
    });
    const pair = new Pair(children);
    await Promise.all(children.map((child) => once(child, 'message')));
    await pair.tell(0, { do: 'fill' });
    for (const child of [0, 1]) await pair.tell(child, { do: 'warm' });
    return pair;
  }

  async tell<T>(child: number, order: FleetOrder): Promise<T> {
    const answered = once(this.#children[child], 'message') as Promise<[{ answer: T }]>;
    this.#children[child].send(order);
    return (await answered)[0].answer;
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#children.map((child) => {
        child.disconnect();
        return once(child, 'exit');
      }),
    );
  }
}

interface Measured {
  /** Reads a second of both processes, by round: one at a time in each, and as many as AT_ONCE. */
  readonly perSecond: Record<1 | typeof AT_ONCE, number[]>;
  readonly questionsPer1000: number[];
  readonly sample: number[];
  /** ms by which reads were older than the last acknowledged write. */
  readonly staleness: number[];
}

await runCommand(USAGE, parse, run);

function parse(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '7' },
      'round-ms': { type: 'string', default: '1500' },
      server: { type: 'string', default: 'either' },
    },
  });
  return {
    rounds: wholeOption('rounds', values.rounds, { min: 1, max: 1_000 }),
    roundMs: wholeOption('round-ms', values['round-ms'], { min: 50, max: 60_000 }),
    server: serverOption(values.server),
  };
}

function serverOption(name: string): ServerKind {
  try {
    return kindOf(name);
  } catch (error) {
    throw new UsageError((error as RangeError).message);
  }
}

async function run({ rounds, roundMs, server: kind }: Options): Promise<void> {
  const program = serverProgram(kind);
  if (program === undefined) throw new UsageError('no server can be had');
  const server = await startServer(program);
  const names = Object.keys(RIVALS);
  const progress = startProgress(rounds * names.length);
  const measured = new Map(
    names.map((name): [string, Measured] => [
      name,
      { perSecond: { 1: [], [AT_ONCE]: [] }, questionsPer1000: [], sample: [], staleness: [] },
    ]),
  );
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [i, [rival, found]] of [...measured].entries()) {
        progress.update(round * names.length + i, rival);
        await command(program, server.port, 'flushall');
        await measure(rival, program, server, roundMs, found);
      }
    }
  } finally {
    progress.stop();
    await server.stop();
  }
  console.log(describeCircumstances(circumstances('bench:fleet')));
  console.log(await versionOf(program));
  print(measured);
}

async function measure(
  rival: string,
  program: Program,
  server: Server,
  roundMs: number,
  found: Measured,
): Promise<void> {
  const commands = async (): Promise<number> =>
    Number(/total_commands_processed:(\d+)/.exec(await command(program, server.port, 'info', 'stats'))?.[1]);
  const pair = await Pair.start(rival, `redis://${server.host}:${server.port}`);
  for (const atOnce of [1, AT_ONCE] as const) {
    const before = await commands();
    const order: FleetOrder = { do: 'round', ms: roundMs, atOnce };
    const done = await Promise.all([pair.tell<Round>(0, order), pair.tell<Round>(1, order)]);
    const asked = (await commands()) - before;
    const reads = done.reduce((sum, round) => sum + round.reads, 0);
    found.perSecond[atOnce].push(done.reduce((sum, round) => sum + (1_000 * round.reads) / round.ms, 0));
    found.questionsPer1000.push((1_000 * asked) / reads);
    if (atOnce === 1) for (const { sample } of done) found.sample.push(...sample);
  }
  const seen = pair.tell<Sightings>(1, { do: 'watch', ms: WATCH_MS });
  const written = await pair.tell<Sightings>(0, { do: 'write', count: VERSIONS });
  for (const ms of staleness(written, await seen)) found.staleness.push(ms);
  await pair.stop();
}

/** For each read, how long ago the version after the one it showed was acknowledged; 0 for the newest. */
function staleness(written: Sightings, seen: Sightings): number[] {
  const acknowledged = new Map(written.map(([key, version, at]) => [`${key} ${version}`, at]));
  return seen.map(([key, version, at]) => {
    const next = acknowledged.get(`${key} ${version + 1}`);
    return next === undefined ? 0 : Math.max(0, at - next);
  });
}

function print(measured: ReadonlyMap<string, Measured>): void {
  const [own] = measured.values();
  const rows = [...measured].map(([rival, { perSecond, questionsPer1000, sample, staleness: late }]) => {
    const speed = ([1, AT_ONCE] as const).flatMap((atOnce) => {
      const ratios = own.perSecond[atOnce].map((value, i) => value / perSecond[atOnce][i]);
      return [
        short(median(perSecond[atOnce])),
        `${median(ratios).toFixed(1)} (${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)})`,
      ];
    });
    const stale = late.filter((ms) => ms > STALE_MS).length;
    return [
      rival,
      ...speed,
      `${(1e3 * quantile(sample, 0.99)).toFixed(0)}`,
      median(questionsPer1000).toFixed(0),
      `${stale} of ${late.length}`,
      late.reduce((most, ms) => Math.max(most, ms), 0).toFixed(0),
    ];
  });
  const heads = [
    'a way to share',
    'reads/s, one at a time',
    'ours / theirs',
    `${AT_ONCE} at a time`,
    'ours / theirs',
    'p99 µs',
    'commands per 1,000 reads',
    `older than ${STALE_MS} ms`,
    'oldest, ms',
  ];
  console.log(table(heads, rows));
}
