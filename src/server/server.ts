import { SharedCache, SharedCacheError } from '../index.js';
import { type Address, parseAddress } from './address.js';
import { listenHttp } from './http/listen.js';
import type { Listening } from './listening.js';
import { listenResp } from './resp/listen.js';

/** What is served, where, and to whom. */
export interface ServerOptions {
  /** The cache. It stays the program's: closing the server leaves it open. */
  cache: SharedCache<unknown>;
  /** Where HTTP is spoken: an address with a port, such as `127.0.0.1:8080`, a port of 127.0.0.1, or the path of a socket, which
   *  begins with `/` or `./`. Default nowhere. */
  http?: string | number | undefined;
  /** Where the Redis protocol is spoken; as `http`. Default nowhere. */
  resp?: string | number | undefined;
  /** What clients must send; 1 to 512 visible ASCII characters. Needed for any address but a loopback one or a socket. */
  token?: string | undefined;
  /** Whether other servers of this user that say so too, in other threads or processes, may listen at the same ports: the system
   *  deals the connections out to them. Needs Node 22.12 or 23.1, and a system that can. Default false. */
  reusePort?: boolean | undefined;
}

/** A running server. */
export interface Server {
  /** Where it listens, with the port that was free for the port 0. */
  readonly addresses: { readonly http?: string; readonly resp?: string };
  /** Ends it: idle connections at once, running requests when they have finished or after 10 s. */
  close(): Promise<void>;
}

const NAMES = ['cache', 'http', 'resp', 'token', 'reusePort'];

/**
 * Lets other programs read and write a cache, and people look at it. Rejects with ERR_INVALID_OPTION, with
 * ERR_LISTEN_FAILED when an address is not to be had, and with ERR_UNSUPPORTED_PLATFORM where Node knows no `reusePort`.
 */
export async function createServer(options: ServerOptions): Promise<Server> {
  const { cache, http, resp, token, reusePort = false } = check(options);
  if (http === undefined && resp === undefined) throw invalid('http or resp must say where to listen');
  const atHttp = http === undefined ? undefined : addressOf('http', http, token, reusePort);
  const atResp = resp === undefined ? undefined : addressOf('resp', resp, token, reusePort);
  const listening: { http?: Listening; resp?: Listening } = {};
  const end = async (): Promise<void> => {
    await Promise.all([listening.http?.close(), listening.resp?.close()]);
  };
  try {
    if (atHttp !== undefined) listening.http = await listenHttp({ cache, token }, atHttp);
    if (atResp !== undefined) listening.resp = await listenResp({ cache, token }, atResp);
  } catch (error) {
    await end();
    throw error;
  }
  let closing: Promise<void> | undefined;
  return {
    addresses: {
      ...(listening.http && { http: listening.http.address }),
      ...(listening.resp && { resp: listening.resp.address }),
    },
    close() {
      closing ??= end();
      return closing;
    },
  };
}

function check(options: ServerOptions): ServerOptions {
  if (typeof options !== 'object' || options === null)
    throw invalid(`options must be an object { ${NAMES.join(', ')} }`);
  for (const name of Object.keys(options))
    if (!NAMES.includes(name)) throw invalid(`unknown option ${JSON.stringify(name)}: known are ${NAMES.join(', ')}`);
  const { cache, token, reusePort } = options;
  if (!(cache instanceof SharedCache)) throw invalid('cache must be a SharedCache');
  // Never the token itself: errors are logged.
  if (token !== undefined && !(typeof token === 'string' && /^[\x21-\x7e]{1,512}$/.test(token)))
    throw invalid('token must be a string of 1 to 512 visible ASCII characters');
  if (reusePort !== undefined && typeof reusePort !== 'boolean') throw invalid('reusePort must be a boolean');
  if (reusePort === true && !canReusePort(process.versions.node))
    throw new SharedCacheError('ERR_UNSUPPORTED_PLATFORM', 'reusePort needs Node 22.12, 23.1 or newer');
  return options;
}

function addressOf(name: string, given: string | number, token: string | undefined, reusePort: boolean): Address {
  const address = parseAddress(name, given);
  if (!address.isLocal && token === undefined)
    throw invalid(`${name} at ${given} needs a token: without one only loopback addresses and sockets are served`);
  if (!reusePort) return address;
  if (address.options.path !== undefined)
    throw invalid(`${name} at ${given} cannot be shared: reusePort is of ports, not of sockets`);
  return { ...address, options: { ...address.options, reusePort } };
}

/** Older ones would ignore it, and fail where the port is taken. */
function canReusePort(version: string): boolean {
  const [major, minor] = version.split('.').map(Number);
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}

const invalid = (message: string): SharedCacheError => new SharedCacheError('ERR_INVALID_OPTION', message);
