import type { SharedCache } from '../../index.js';
import type { Protocol } from './reply.js';
import { RespError } from './reply.js';
import type { Scans } from './scans.js';

/** What all connections of a server share. */
export interface Served {
  readonly cache: SharedCache<unknown>;
  readonly token: string | undefined;
  readonly scans: Scans;
  /** Longest reply in octets. */
  readonly maxReplyBytes: number;
}

/** What a command may see and change of the connection it came by. */
export interface Client {
  readonly id: number;
  readonly served: Served;
  protocol: Protocol;
  isAllowed: boolean;
  name: string;
  /** The connection ends after this reply. */
  isQuitting: boolean;
}

export interface Command {
  /** As in Redis: arguments with the name, exactly; negative: at least so many. */
  readonly arity: number;
  /** Whether a client that has not yet sent the token may ask. */
  readonly isOpen?: boolean;
  run(client: Client, args: readonly string[]): string;
}

/** A whole number, as Redis writes them, within what a JavaScript number keeps. */
export function integerOf(text: string): number {
  const value = /^(0|-?[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new RespError('ERR value is not an integer or out of range');
  return value;
}
