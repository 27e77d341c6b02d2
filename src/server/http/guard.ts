import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../address.js';
import { isToken } from '../token.js';
import type { Exchange } from './exchange.js';
import { badRequest, Problem } from './problem.js';
import type { Target } from './target.js';

/**
 * Who may ask. Three doors, each against another kind of caller:
 *
 * - Host: a page whose name was made to point here (DNS rebinding) sends its own name. A server on the loopback answers to
 *   the machine's own names only; elsewhere names cannot be known, and there is always a token, which no page has.
 * - Origin and Sec-Fetch-Site: a page of another site can send writes (CSRF), but not without saying whose it is.
 * - Authorization: the token, where there is one.
 */
export function checkSource({ request, target, served }: Exchange): void {
  if (request.headersDistinct.host?.length !== 1) throw badRequest('a request must have one Host header');
  if (served.hasOwnNames && !isOwnName(target.host))
    throw forbidden('this server answers to localhost and loopback addresses only; the Host header names another');
  if (!SAFE.has(request.method ?? '')) checkOrigin(request, target);
}

/** Throws 401 unless the request has the token that the server asks for. */
export function checkToken(exchange: Exchange): void {
  if (hasToken(exchange)) return;
  throw new Problem(401, 'ERR_UNAUTHORIZED', 'this server needs its token: Authorization: Bearer TOKEN', ASK_FOR_TOKEN);
}

/** Whether it has the token, or none is asked for. */
export function hasToken({ request, served }: Exchange): boolean {
  if (served.token === undefined) return true;
  const [, given] = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
  return given !== undefined && isToken(given, served.token);
}

export const ASK_FOR_TOKEN = { 'www-authenticate': 'Bearer realm="mooncake-cache"' };

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

function isOwnName(host: string): boolean {
  const [, name = ''] = /^(\[[\da-f:.]+\]|[^\s:@/[\]]+)(?::\d*)?$/i.exec(host) ?? [];
  const plain = name.toLowerCase().replace(/\.$/, '');
  return isLoopback(plain === '[::1]' ? '::1' : plain) || plain.endsWith('.localhost');
}

function checkOrigin({ headers }: IncomingMessage, { host }: Target): void {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw forbidden('writes from the pages of other sites are refused');
  const { origin } = headers;
  if (origin !== undefined && !isOriginOf(origin, host))
    throw forbidden('writes from the pages of other origins are refused');
}

function isOriginOf(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: from } = new URL(origin);
  const here = `${protocol}//${host}`;
  // The protocol is the page's own: a proxy may have taken TLS away.
  return (protocol === 'http:' || protocol === 'https:') && URL.canParse(here) && new URL(here).host === from;
}

const forbidden = (message: string): Problem => new Problem(403, 'ERR_FORBIDDEN', message);
