import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import type { Server } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { type SharedCache, SharedCacheError } from '../index.js';
import type { Address } from './address.js';

/** Of one server. */
export const MAX_CONNECTIONS = 4_096;
/** Connections that wait to be accepted: a thousand clients may come at once. */
const BACKLOG = 1_024;
/** What running requests, and clients that still read, are given when a server ends. */
const GRACE_MS = 10_000;

/** What is served, and the token that a client must know; undefined: none. */
export interface Source {
  readonly cache: SharedCache<unknown>;
  readonly token?: string | undefined;
}

/** A server that listens. */
export interface Listening {
  /** Where, as clients write it. */
  readonly address: string;
  /** Ends gracefully: what is owed is still sent, for ten seconds at most. */
  close(): Promise<void>;
}

/** Listens, and returns where. A socket is its owner's alone. Throws ERR_LISTEN_FAILED. */
export async function listenAt(server: Server, { options }: Address): Promise<string> {
  const { path } = options;
  server.maxConnections = MAX_CONNECTIONS;
  // Only the main thread may change it; for a moment, since a socket is made before listen() returns.
  const mask = path !== undefined && isMainThread ? process.umask(0o177) : undefined;
  const listening = once(server, 'listening');
  try {
    server.listen({ ...options, backlog: BACKLOG });
  } finally {
    if (mask !== undefined) process.umask(mask);
  }
  try {
    await listening;
  } catch (error) {
    const { message } = error as Error;
    throw new SharedCacheError(
      'ERR_LISTEN_FAILED',
      `cannot listen at ${path ?? `port ${options.port} of ${options.host}`}: ${message}`,
      { cause: error },
    );
  }
  if (path !== undefined) chmodSync(path, 0o600);
  return addressOf(server);
}

/** Accepts nobody more, lets `finish` end what is idle, and cuts off what has not ended by itself in time. */
export async function endGracefully(
  server: Server,
  finish: () => void,
  cutOff: () => void,
  graceMs = GRACE_MS,
): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  finish();
  const timer = setTimeout(cutOff, graceMs);
  await closed;
  clearTimeout(timer);
}

function addressOf(server: Server): string {
  const address = server.address();
  if (typeof address === 'string' || address === null) return `${address}`;
  return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}
