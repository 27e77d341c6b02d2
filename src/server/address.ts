import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import type { ListenOptions, Server } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { SharedCacheError } from '../index.js';

/** Where a server is to listen: a port of an address, or a socket in the file system. */
export interface Address {
  readonly options: ListenOptions;
  /** Whether only this machine can reach it: a loopback address, or a socket, which its owner alone can open. */
  readonly isLocal: boolean;
}

/** `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`, or a path, which has a `/`. Throws ERR_INVALID_OPTION. */
export function parseAddress(name: string, address: unknown): Address {
  if (typeof address === 'string' && address.includes('/')) return { options: { path: address }, isLocal: true };
  const [, host, port] =
    /^(\[[\da-f:.%]+\]|[^\s:[\]]+):(\d{1,5})$/i.exec(typeof address === 'string' ? address : '') ?? [];
  if (host === undefined || Number(port) > 65_535) {
    throw new SharedCacheError(
      'ERR_INVALID_OPTION',
      `${name} must be an address with a port, such as '127.0.0.1:8080' or '[::1]:8080', or the path of a socket, received ${typeof address === 'string' ? JSON.stringify(address.slice(0, 80)) : typeof address}`,
    );
  }
  const plain = host.replace(/^\[|\]$/g, '').toLowerCase();
  return { options: { host: plain, port: Number(port) }, isLocal: isLoopback(plain) };
}

/** The addresses of the machine itself, and the name that always means one of them. */
export const isLoopback = (host: string): boolean => /^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host);

/** Listens, and returns where. A socket is its owner's alone. Throws ERR_LISTEN_FAILED. */
export async function listenAt(server: Server, { options }: Address, backlog: number): Promise<string> {
  const { path } = options;
  // Only the main thread may change it; for a moment, since a socket is made before listen() returns.
  const mask = path !== undefined && isMainThread ? process.umask(0o177) : undefined;
  const listening = once(server, 'listening');
  try {
    server.listen({ ...options, backlog });
  } finally {
    if (mask !== undefined) process.umask(mask);
  }
  try {
    await listening;
  } catch (error) {
    throw new SharedCacheError('ERR_LISTEN_FAILED', `cannot listen at ${path ?? `${options.host}:${options.port}`}`, {
      cause: error,
    });
  }
  if (path !== undefined) chmodSync(path, 0o600);
  return addressOf(server);
}

function addressOf(server: Server): string {
  const address = server.address();
  if (typeof address === 'string' || address === null) return `${address}`;
  return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}
