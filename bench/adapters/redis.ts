import { createClient, RESP_TYPES } from '@redis/client';
import { serverProgram } from '../../scripts/services/redis.js';
import type { Adapter, ValueKind } from './adapter.js';
import { startServer } from './redis-server.js';

const IN_FLIGHT = 64;

interface Form {
  encode(value: unknown): string | Buffer;
  decode(stored: string | Buffer): unknown;
}

/** It keeps bytes and strings. */
const FORMS: Readonly<Record<ValueKind, Form>> = {
  str: { encode: (value) => value as string, decode: (stored) => stored },
  json: { encode: JSON.stringify, decode: (stored) => JSON.parse(stored as string) },
  buf: { encode: (value) => value as Buffer, decode: (stored) => stored },
};

/** Redis (or Valkey) on this machine, over a unix socket; its client pipelines what is sent in one turn. */
export const adapter: Adapter = {
  name: 'redis',
  shared: true,
  overProcesses: true,
  unavailable: () =>
    serverProgram() === undefined ? 'no redis-server or valkey-server, and none could be installed' : undefined,
  init: startServer,
  attach: async (handle, { kind }) => {
    const client = createClient({ socket: { path: handle as string, tls: false } });
    await client.connect();
    const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    const close = async (): Promise<void> => {
      await client.close();
    };
    const { encode, decode } = FORMS[kind];
    const reader = kind === 'buf' ? binary : client;
    return {
      mode: 'async',
      inFlight: IN_FLIGHT,
      close,
      get: async (key) => {
        const stored = await reader.get(key);
        return stored === null ? undefined : decode(stored);
      },
      set: (key, value) => client.set(key, encode(value)),
      setMany: (keys, values) => client.mSet(keys.map((key, i) => [key, encode(values[i])])),
    };
  },
};
