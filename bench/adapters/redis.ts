import { createClient, RESP_TYPES } from '@redis/client';
import type { Adapter } from './adapter.js';
import { findServer, startServer } from './redis-server.js';

const IN_FLIGHT = 64;

/** Redis (or Valkey) on this machine, over a unix socket; its client pipelines what is sent in one turn. */
export const adapter: Adapter = {
  name: 'redis',
  shared: true,
  unavailable: () =>
    findServer() === undefined ? 'no valkey-server or redis-server, and none could be installed' : undefined,
  init: startServer,
  attach: async (handle, { kind }) => {
    const client = createClient({ socket: { path: handle as string, tls: false } });
    await client.connect();
    const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    const close = async (): Promise<void> => {
      await client.close();
    };
    const inFlight = IN_FLIGHT;
    switch (kind) {
      case 'str':
        return {
          mode: 'async',
          inFlight,
          close,
          get: async (key) => (await client.get(key)) ?? undefined,
          set: (key, value) => client.set(key, value as string),
        };
      case 'json':
        return {
          mode: 'async',
          inFlight,
          close,
          get: async (key) => {
            const text = await client.get(key);
            return text === null ? undefined : JSON.parse(text);
          },
          set: (key, value) => client.set(key, JSON.stringify(value)),
        };
      case 'buf':
        return {
          mode: 'async',
          inFlight,
          close,
          get: async (key) => (await binary.get(key)) ?? undefined,
          set: (key, value) => client.set(key, value as Buffer),
        };
    }
  },
};
