import type { ListenOptions } from 'node:net';
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
