import { createServer } from 'node:net';
import type { Address } from '../address.js';
import { endGracefully, type Listening, listenAt, MAX_CONNECTIONS, type Source } from '../listening.js';
import { Budget } from './budget.js';
import type { Served } from './command.js';
import { Connection } from './connection.js';
import { Outbox } from './outbox.js';
import type { Limits } from './parser.js';
import { Scans } from './scans.js';

const MAX_ARGS = 65_536;
const MB = 1024 * 1024;
/** A string of V8 has at most 512 MB. */
const MAX_ARG_BYTES = 256 * MB;
const CHECK_MS = 1_000;

/** Serves a cache by the Redis protocol, versions 2 and 3. */
export async function listenResp({ cache, token }: Source, at: Address): Promise<Listening> {
  const server = createServer();
  const argBytes = Math.min(cache.maxEntryBytes, MAX_ARG_BYTES);
  const limits: Limits = { args: MAX_ARGS, argBytes, frameBytes: Math.max(64 * MB, argBytes) };
  const served: Served = { cache, token, scans: new Scans(), maxReplyBytes: limits.frameBytes };
  const budget = new Budget(4 * limits.frameBytes, MAX_CONNECTIONS);
  const outbox = new Outbox();
  const connections = new Set<Connection>();
  let lastId = 0;
  server.on('connection', (socket) => {
    const connection = new Connection(socket, ++lastId, served, limits, budget, outbox);
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  });
  const address = await listenAt(server, at);
  const checking = setInterval(() => {
    const now = performance.now();
    for (const connection of connections) connection.checkTime(now);
  }, CHECK_MS).unref();
  return {
    address,
    async close() {
      const all = (end: (connection: Connection) => void): void => {
        for (const connection of connections) end(connection);
      };
      await endGracefully(
        server,
        () => all((connection) => connection.end()),
        () => all((connection) => connection.destroy()),
      );
      clearInterval(checking);
    },
  };
}
