import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Host } from './adapter.js';

const SERVERS = ['valkey-server', 'redis-server'];

const runs = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** The server's program, installed by apt-get where there is none and the user may; otherwise undefined. */
export function findServer(): string | undefined {
  const found = SERVERS.find((name) => runs(name, '--version'));
  if (found !== undefined) return found;
  if (process.getuid?.() !== 0 || !runs('apt-get', '--version')) return undefined;
  // RUNLEVEL=1 keeps the package from starting a service of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  spawnSync('apt-get', ['update', '-q'], { stdio: 'ignore', env });
  for (const name of SERVERS) {
    spawnSync('apt-get', ['install', '-yq', '--no-install-recommends', name], { stdio: 'ignore', env });
    if (runs(name, '--version')) return name;
  }
  return undefined;
}

/** A server of this run alone: on a unix socket in a directory of its own, nothing written to disk. */
export async function startServer(): Promise<Host> {
  const program = findServer();
  if (program === undefined) throw new Error(`neither ${SERVERS.join(' nor ')} is installed`);
  const directory = mkdtempSync(join(tmpdir(), 'bench-redis-'));
  const socket = join(directory, 'socket');
  const flags = ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no', '--dir', directory];
  const server = spawn(program, flags, { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(server, 'exit');
  const stop = (): void => {
    server.kill('SIGKILL');
  };
  // A run that is interrupted leaves no server behind.
  process.once('exit', stop);
  for await (const line of createInterface(server.stdout))
    if (/ready to accept connections.*unix|at .*socket/i.test(line)) break;
  if (server.exitCode !== null) throw new Error(`${program} ended with ${server.exitCode}`);
  server.stdout.resume();
  return {
    handle: () => ({ value: socket }),
    close: async () => {
      process.off('exit', stop);
      server.kill();
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
