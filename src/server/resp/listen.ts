import { once } from 'node:events';
import { createServer } from 'node:net';
import type { SharedCache } from '../../index.js';
import { type Address, listenAt } from '../address.js';
import type { Served } from './command.js';
import { type Budget, Connection } from './connection.js';
import type { Limits } from './parser.js';
import { Scans } from './scans.js';

const MAX_CONNECTIONS = 4_096;
const BACKLOG = 1_024;
const MAX_ARGS = 65_536;
const MB = 1024 * 1024;
/** A string of V8 has at most 512 MB. */
const MAX_ARG_BYTES = 256 * MB;
const CHECK_MS = 1_000;
/** For clients to read what they are owed when the server ends. */
const GRACE_MS = 10_000;

/** Serves a cache by the Redis protocol, versions 2 and 3. */
export async function listenResp(
  { cache, token }: { cache: SharedCache<unknown>; token?: string | undefined },
  at: Address,
): Promise<{ address: string; close(): Promise<void> }> {
  const server = createServer();
  server.maxConnections = MAX_CONNECTIONS;
  const argBytes = Math.min(cache.maxEntryBytes, MAX_ARG_BYTES);
  const limits: Limits = { args: MAX_ARGS, argBytes, frameBytes: Math.max(64 * MB, argBytes) };
  const served: Served = { cache, token, scans: new Scans(), maxReplyBytes: limits.frameBytes };
  const budget: Budget = { usedBytes: 0, maxBytes: 4 * limits.frameBytes };
  const connections = new Set<Connection>();
  let lastId = 0;
  server.on('connection', (socket) => {
    const connection = new Connection(socket, ++lastId, served, limits, budget);
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  });
  const address = await listenAt(server, at, BACKLOG);
  const checking = setInterval(() => {
    const now = performance.now();
    for (const connection of connections) connection.checkTime(now);
  }, CHECK_MS).unref();
  return {
    address,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const connection of connections) connection.end();
      const cutOff = setTimeout(() => {
        for (const connection of connections) connection.destroy();
      }, GRACE_MS);
      await closed;
      clearTimeout(cutOff);
      clearInterval(checking);
    },
  };
}
