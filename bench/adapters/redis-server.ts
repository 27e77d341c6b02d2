import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { atEnd, temporaryDirectory } from '../harness/cleanup.js';
import type { Host } from './adapter.js';

const SERVERS = ['valkey-server', 'redis-server'];
/** For one step of the installation, which may have no network. */
const INSTALL_STEP_MS = 30_000;

const runs = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** The server's program, installed by apt-get where there is none and the user may; otherwise undefined. */
export function findServer(): string | undefined {
  const found = SERVERS.find((name) => runs(name, '--version'));
  if (found !== undefined) return found;
  if (process.getuid?.() !== 0 || !runs('apt-get', '--version')) return undefined;
  // RUNLEVEL=1 keeps the package from starting a service of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const options = { stdio: 'ignore', timeout: INSTALL_STEP_MS, env } as const;
  console.error(`installing ${SERVERS.join(' or ')} with apt-get`);
  if (spawnSync('apt-get', ['update', '-q'], options).status !== 0) return undefined;
  for (const name of SERVERS) {
    spawnSync('apt-get', ['install', '-yq', '--no-install-recommends', name], options);
    if (runs(name, '--version')) return name;
  }
  return undefined;
}

/** A server of this run alone: on a unix socket in a directory of its own, nothing written to disk. */
export async function startServer(): Promise<Host> {
  const program = findServer();
  if (program === undefined) throw new Error(`neither ${SERVERS.join(' nor ')} is installed`);
  const directory = temporaryDirectory(tmpdir(), 'bench-redis-');
  const socket = join(directory.path, 'socket');
  const flags = ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no', '--dir', directory.path];
  const server = spawn(program, flags, { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(server, 'exit');
  // A run that is interrupted leaves no server behind.
  const stop = atEnd(() => server.kill('SIGKILL'));
  for await (const line of createInterface(server.stdout))
    if (/ready to accept connections.*unix|at .*socket/i.test(line)) break;
  if (server.exitCode !== null) throw new Error(`${program} ended with ${server.exitCode}`);
  server.stdout.resume();
  return {
    handle: () => ({ value: socket }),
    close: async () => {
      stop();
      await exited;
      directory.remove();
    },
  };
}
