/** Ways to share a cache over machines that bench/fleet holds against each other, each as its documentation shows it. */

import { SharedCache } from '../../src/index.js';
import { TieredCache } from '../../src/tier/index.js';

export interface FleetRival {
  get(key: string): Promise<unknown>;
  put(key: string, value: string): Promise<unknown>;
  close(): Promise<unknown>;
}

/** Bytes of the memory in front of the remote, where there is one. */
const LOCAL_BYTES = 64 * 2 ** 20;
const TTL_MS = 3_600_000;
const PREFIX = 'bench:';

export const RIVALS: Record<string, (url: string) => Promise<FleetRival>> = {
  async 'mooncake-cache/tier'(url) {
    const local = new SharedCache({ maxBytes: LOCAL_BYTES });
    const cache = await TieredCache.open<string>({ local, remote: { url }, prefix: PREFIX, ttl: TTL_MS });
    return {
      get: (key) => cache.get(key),
      put: (key, value) => cache.put(key, value),
      async close() {
        await cache.close();
        local.close();
      },
    };
  },
  async bentocache(url) {
    const { BentoCache, bentostore } = await import('bentocache');
    const { memoryDriver } = await import('bentocache/drivers/memory');
    const { redisBusDriver, redisDriver } = await import('bentocache/drivers/redis');
    const { hostname: host, port } = new URL(url);
    const connection = { host, port: Number(port) };
    const bento = new BentoCache({
      default: 'tiered',
      prefix: PREFIX,
      ttl: TTL_MS,
      stores: {
        tiered: bentostore()
          .useL1Layer(memoryDriver({ maxSize: LOCAL_BYTES, maxItems: 1_000_000 }))
          .useL2Layer(redisDriver({ connection }))
          .useBus(redisBusDriver({ connection })),
      },
    });
    return {
      get: (key) => bento.get({ key }),
      put: (key, value) => bento.set({ key, value }),
      close: () => bento.disconnectAll(),
    };
  },
  async cacheable(url) {
    const { Cacheable } = await import('cacheable');
    const { default: KeyvRedis } = await import('@keyv/redis');
    const cacheable = new Cacheable({ secondary: new KeyvRedis(url, { namespace: PREFIX }), ttl: TTL_MS });
    return {
      get: (key) => cacheable.get(key),
      put: (key, value) => cacheable.set(key, value),
      close: () => cacheable.disconnect(),
    };
  },
  async '@redis/client'(url) {
    const { createClient } = await import('@redis/client');
    const client = await createClient({ url, commandOptions: { timeout: 0 } }).connect();
    return {
      get: (key) => client.get(PREFIX + key),
      put: (key, value) => client.set(PREFIX + key, value, { PX: TTL_MS }),
      close: () => client.close(),
    };
  },
};
