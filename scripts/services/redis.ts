/** Redis and Valkey for tests and benchmarks: alone, under Sentinel or as a cluster, each on free ports of this machine. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { atEnd, temporaryDirectory } from '../cleanup.js';
import { type Packaged, type Program, programOf } from './debian.js';

const HOST = '127.0.0.1';
const REDIS: Packaged = { name: 'redis-server', program: '/usr/bin/redis-server' };
const VALKEY: Packaged = { name: 'valkey-server', program: '/usr/bin/valkey-server', isRare: true };
/** The name that the sentinels know the primary by. */
export const SENTINEL_NAME = 'mooncake';

const KINDS = { redis: [REDIS], valkey: [VALKEY], either: [REDIS, VALKEY] };
export type ServerKind = keyof typeof KINDS;

/**
 * The server's program. `SERVER_KIND=valkey`, or another of the kinds, has all that do not care which take that one; else it is
 * Redis, which every Debian has, unless Valkey alone is there already.
 */
export function serverProgram(kind: ServerKind = kindOf(process.env.SERVER_KIND ?? 'either')): Program | undefined {
  return programOf(KINDS[kind]);
}

/** Throws a RangeError for a name that is none of a kind. */
export function kindOf(name: string): ServerKind {
  if (Object.hasOwn(KINDS, name)) return name as ServerKind;
  throw new RangeError(`a server is one of ${Object.keys(KINDS).join(', ')}, not ${name}`);
}

/** What it is and of which version: `Valkey 8.0.1`. */
export async function versionOf({ path, env }: Program): Promise<string> {
  const { stdout } = await promisify(execFile)(path, ['--version'], { env });
  return stdout.replace(/^(\w+) server v=(\S+).*$/s, '$1 $2');
}

/** One running process. It is killed when this process ends, if it was not stopped before. */
export interface Server {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** Its own, empty to begin with: where relative paths in its flags lead. */
  readonly folder: string;
  /** SIGKILL, SIGSTOP, …: what a test of failures does to it. */
  signal(name: NodeJS.Signals): void;
  /** Kills it and removes its folder. */
  stop(): Promise<void>;
}

export interface Sentinels {
  readonly sentinels: readonly Server[];
  readonly primary: Server;
  readonly replicas: readonly Server[];
  stop(): Promise<void>;
}

export interface Cluster {
  readonly nodes: readonly Server[];
  stop(): Promise<void>;
}

const VOLATILE = ['--save', '', '--appendonly', 'no'];

/** One server on a free port, which writes nothing to disk. */
export function startServer(program: Program, ...flags: string[]): Promise<Server> {
  return launch(program, (port) => ['--port', `${port}`, '--bind', HOST, ...VOLATILE, ...flags]);
}

/** A primary with two replicas, and three sentinels that watch them and agree on it. */
export async function startSentinels(program: Program): Promise<Sentinels> {
  const primary = await startServer(program);
  const follow = ['--replicaof', HOST, `${primary.port}`];
  const replicas = await Promise.all([startServer(program, ...follow), startServer(program, ...follow)]);
  const start = (): Promise<Server> =>
    launch(program, (port, folder) => {
      const config = join(folder, 'sentinel.conf');
      const name = SENTINEL_NAME;
      const lines = [
        `port ${port}`,
        `bind ${HOST}`,
        `sentinel monitor ${name} ${HOST} ${primary.port} 2`,
        `sentinel down-after-milliseconds ${name} 500`,
        `sentinel failover-timeout ${name} 2000`,
      ];
      writeFileSync(config, `${lines.join('\n')}\n`);
      return [config, '--sentinel'];
    });
  const sentinels = await Promise.all([start(), start(), start()]);
  const all = [...sentinels, ...replicas, primary];
  await Promise.all(
    sentinels.map(({ port }) =>
      until(async () => {
        const seen = await command(program, port, 'sentinel', 'master', SENTINEL_NAME);
        return /num-slaves\n2\n/.test(seen) && /num-other-sentinels\n2\n/.test(seen);
      }),
    ),
  );
  return { sentinels, primary, replicas, stop: () => stopAll(all) };
}

/** Three nodes that share all slots, without replicas. */
export async function startCluster(program: Program): Promise<Cluster> {
  const start = async (): Promise<Server> => {
    const bus = await freePort();
    const flags = ['--cluster-enabled', 'yes', '--cluster-port', `${bus}`, '--cluster-node-timeout', '2000'];
    return startServer(program, ...flags);
  };
  const nodes = await Promise.all([start(), start(), start()]);
  const addresses = nodes.map(({ port }) => `${HOST}:${port}`);
  await client(program, '--cluster', 'create', ...addresses, '--cluster-yes');
  await Promise.all(
    nodes.map(({ port }) =>
      until(async () => /cluster_state:ok/.test(await command(program, port, 'cluster', 'info'))),
    ),
  );
  return { nodes, stop: () => stopAll(nodes) };
}

/** Moves so many slots from one node of a cluster to another, with what is in them. */
export async function moveSlots(program: Program, from: Server, to: Server, count: number): Promise<void> {
  const idOf = async ({ port }: Server): Promise<string> => (await command(program, port, 'cluster', 'myid')).trim();
  const address = `${HOST}:${from.port}`;
  const flags = ['--cluster-from', await idOf(from), '--cluster-to', await idOf(to), '--cluster-slots', `${count}`];
  await client(program, '--cluster', 'reshard', address, ...flags, '--cluster-yes');
}

/** Sends one command and returns what the command-line client prints. */
export function command(program: Program, port: number, ...words: string[]): Promise<string> {
  return client(program, '-h', HOST, '-p', `${port}`, ...words);
}

async function client({ path, env }: Program, ...args: string[]): Promise<string> {
  return (await promisify(execFile)(path.replace(/-server$/, '-cli'), args, { env, timeout: 30_000 })).stdout;
}

/** ms until a server that does not get ready is given up. */
const PATIENCE_MS = 30_000;
const ATTEMPTS = 5;

async function launch(program: Program, flagsOf: (port: number, folder: string) => string[]): Promise<Server> {
  const output: string[] = [];
  // Somebody else may take the port between looking and starting.
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const directory = temporaryDirectory(tmpdir(), 'mooncake-redis-');
    const port = await freePort();
    const flags = flagsOf(port, directory.path);
    const server = spawn(program.path, flags, {
      stdio: ['ignore', 'pipe', 'ignore'],
      cwd: directory.path,
      env: program.env,
    });
    const exited = once(server, 'exit');
    const kill = atEnd(() => server.kill('SIGKILL'));
    const stop = async (): Promise<void> => {
      kill();
      await exited;
      directory.remove();
    };
    if (await isReady(server, output)) {
      const signal = (name: NodeJS.Signals): void => void server.kill(name);
      return { host: HOST, port, pid: server.pid as number, folder: directory.path, signal, stop };
    }
    await stop();
  }
  throw new Error(`${program.path} does not get ready: ${output.slice(-3).join(' ')}`);
}

/** Whether the server says that it is, before it ends or patience does. */
async function isReady(server: ChildProcess, output: string[]): Promise<boolean> {
  const stdout = server.stdout as NonNullable<ChildProcess['stdout']>;
  const giveUp = setTimeout(() => server.kill('SIGKILL'), PATIENCE_MS);
  try {
    for await (const line of createInterface(stdout)) {
      output.push(line);
      if (/ready to accept connections|\+monitor master/i.test(line)) return true;
    }
    return false;
  } finally {
    clearTimeout(giveUp);
    stdout.resume();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Asks again and again until it is true. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !(await isTrue()); await delay(50))
    if (Date.now() > end) throw new Error('the servers do not find each other');
}

async function stopAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()));
}
