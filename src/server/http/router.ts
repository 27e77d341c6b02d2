import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Asset } from '../dashboard/assets.js';
import { answer, answerJson, answerProblem } from './answer.js';
import type { Exchange, Served } from './exchange.js';
import { checkSource, checkToken } from './guard.js';
import { invalidate } from './invalidate.js';
import { deleteKey, getKey, putKey } from './keys.js';
import { checkQuery, decoded } from './parameters.js';
import { Problem } from './problem.js';
import { targetOf } from './target.js';

type Handler = (exchange: Exchange) => void | Promise<void>;

/** What a path answers to, by method, and whom: anyone, any page of this server, or who has the token. */
interface Route {
  readonly methods: ReadonlyMap<string, Handler>;
  readonly opensTo: 'anyone' | 'own pages' | 'token';
}

const KEYS = '/v1/keys/';

const keys: Route = route('token', {
  GET: (exchange) => getKey(exchange, keyIn(exchange)),
  HEAD: (exchange) => getKey(exchange, keyIn(exchange)),
  PUT: (exchange) => putKey(exchange, keyIn(exchange)),
  DELETE: (exchange) => deleteKey(exchange, keyIn(exchange)),
});

const asset: Route = page('own pages', (exchange) => {
  const { served, target } = exchange;
  served.dashboard.answerAsset(exchange, served.dashboard.assetAt(target.path) as Asset);
});

const routes: ReadonlyMap<string, Route> = new Map([
  ['/healthz', page('anyone', health)],
  ['/events', page('token', (exchange) => exchange.served.dashboard.openEvents(exchange))],
  ['/stats', page('token', (exchange) => answerJson(exchange, exchange.served.exporter.stats()))],
  ['/metrics', page('token', metrics)],
  ['/v1/invalidate', route('token', { POST: invalidate })],
]);

/** Answers one request; never throws. */
export async function serve(request: IncomingMessage, response: ServerResponse, served: Served): Promise<void> {
  const exchange: Exchange = { request, response, served, target: targetOf(request) };
  try {
    await handlerOf(exchange)(exchange);
  } catch (error) {
    answerProblem(exchange, error);
  }
}

/** Who answers, if the caller may ask. Without the token nobody learns which paths there are. */
function handlerOf(exchange: Exchange): Handler {
  const { request } = exchange;
  const found = routeOf(exchange);
  const opensTo = found?.opensTo ?? 'token';
  if (opensTo !== 'anyone') checkSource(exchange);
  if (opensTo === 'token') checkToken(exchange);
  if (found === undefined) throw new Problem(404, 'ERR_NOT_FOUND', 'there is nothing at this path');
  const handler = found.methods.get(request.method ?? '');
  if (handler !== undefined) return handler;
  const allow = [...found.methods.keys()].join(', ');
  throw new Problem(405, 'ERR_METHOD_NOT_ALLOWED', `this path answers to ${allow}`, { allow });
}

function routeOf({ target: { path }, served }: Exchange): Route | undefined {
  if (path.startsWith(KEYS)) return keys;
  return served.dashboard.assetAt(path) === undefined ? routes.get(path) : asset;
}

function route(opensTo: Route['opensTo'], methods: Readonly<Record<string, Handler>>): Route {
  return { opensTo, methods: new Map(Object.entries(methods)) };
}

/** What is only read, and has no parameters. */
function page(opensTo: Route['opensTo'], handler: Handler): Route {
  const read: Handler = (exchange) => {
    checkQuery(exchange, []);
    return handler(exchange);
  };
  return route(opensTo, { GET: read, HEAD: read });
}

/** The key is all that follows, every octet of it: `/` too, and an empty key is one. */
function keyIn({ target }: Exchange): string {
  return decoded(target.path.slice(KEYS.length), 'the key');
}

function health(exchange: Exchange): void {
  if (exchange.served.cache.closed) throw new Problem(503, 'ERR_CLOSED', 'the cache is closed');
  answerJson(exchange, { status: 'ok' });
}

function metrics(exchange: Exchange): void {
  answer(exchange, 200, 'text/plain; version=0.0.4; charset=utf-8', exchange.served.exporter.metrics());
}
