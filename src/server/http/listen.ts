import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Address } from '../address.js';
import { Dashboard } from '../dashboard/dashboard.js';
import { type Listening, listenAt, type Source } from '../listening.js';
import { BodyBudget } from './body.js';
import { Connections } from './connections.js';
import { Exporter } from './exporter.js';
import { serve } from './router.js';

/**
 * Bounds on what a client may take. A key of 64 KiB may be three times as long in percent-encoding. A request that does not
 * get on is ended by Node, which looks every second.
 */
const LIMITS = {
  maxHeaderSize: 256 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
};
/** How long nothing may move on a connection, in either direction. */
const IDLE_MS = 120_000;

/** Serves a cache over HTTP. */
export async function listenHttp({ cache, token }: Source, at: Address): Promise<Listening> {
  const server = createServer(LIMITS);
  server.setTimeout(IDLE_MS);
  const connections = new Connections(server);
  const address = await listenAt(server, at);
  const exporter = new Exporter(cache);
  const dashboard = new Dashboard(exporter);
  const served = {
    cache,
    token,
    exporter,
    dashboard,
    hasOwnNames: at.isLocal && at.options.path === undefined,
    budget: new BodyBudget(cache.maxEntryBytes),
  };
  const respond = (request: IncomingMessage, response: ServerResponse): void => {
    connections.begin(response);
    void serve(request, response, served);
  };
  server.on('request', respond);
  // With a listener of its own, a client is only told to go on when its body is going to be read.
  server.on('checkContinue', respond);
  return {
    address,
    async close() {
      dashboard.close();
      await connections.end();
      exporter.close();
    },
  };
}
