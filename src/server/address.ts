import { isIPv4, isIPv6, type ListenOptions } from 'node:net';
import { SharedCacheError } from '../index.js';

/** Where a server is to listen: a port of an address, or a socket in the file system. */
export interface Address {
  /** Node's, with one that not all versions know. */
  readonly options: ListenOptions & { readonly reusePort?: boolean };
  /** Whether only this machine can reach it: a loopback address, or a socket, which its owner alone can open. */
  readonly isLocal: boolean;
}

/** Of a port without a host. All interfaces have to be named: `0.0.0.0:8080`. */
const DEFAULT_HOST = '127.0.0.1';
const MAX_PORT = 65_535;
/** What the system's address of a socket has room for. A longer path would be cut short, and be another one. */
const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

/**
 * `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`; `8080` or `:8080`, a port of 127.0.0.1; or the path of a socket, which begins
 * with `/`, `./` or `../`. Throws ERR_INVALID_OPTION.
 */
export function parseAddress(name: string, given: unknown): Address {
  const text = typeof given === 'number' ? `${given}` : given;
  const address = typeof text !== 'string' ? undefined : /^\.{0,2}\//.test(text) ? socketAt(text) : portAt(text);
  if (address !== undefined) return address;
  throw new SharedCacheError(
    'ERR_INVALID_OPTION',
    `${name} must be an address with a port, such as '127.0.0.1:8080' or '[::1]:8080', a port of 127.0.0.1, or the path of a socket of at most ${MAX_PATH_BYTES} bytes that begins with / or ./, received ${typeof text === 'string' ? JSON.stringify(text.slice(0, 80)) : typeof given}`,
  );
}

/** The addresses of the machine itself, and the name that always means one of them. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (host.startsWith('127.') && isIPv4(host));

/** Behind a NUL there would be another path, or a name outside of the file system that every user can reach. */
function socketAt(path: string): Address | undefined {
  if (path.includes('\0') || Buffer.byteLength(path) > MAX_PATH_BYTES) return undefined;
  return { options: { path }, isLocal: true };
}

function portAt(text: string): Address | undefined {
  const [, bracketed, named = '', port] = /^(?:\[([\da-f:.]+(?:%\w+)?)\]:|([^\s:/[\]]*):)?(\d{1,5})$/i.exec(text) ?? [];
  if (port === undefined || Number(port) > MAX_PORT || (bracketed !== undefined && !isIPv6(bracketed)))
    return undefined;
  const host = (bracketed ?? named).toLowerCase() || DEFAULT_HOST;
  return { options: { host, port: Number(port) }, isLocal: isLoopback(host) };
}
