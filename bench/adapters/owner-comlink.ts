import type { MessagePort } from 'node:worker_threads';
import { wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { Adapter } from './adapter.js';
import { type OwnerApi, startOwner } from './owner.js';

/** One thread owns a Map; the others call it over comlink, each waiting for its answer. */
export const adapter: Adapter = {
  name: 'owner comlink',
  shared: true,
  init: () => startOwner('comlink'),
  attach: (handle) => {
    const port = handle as MessagePort;
    const api = wrap<OwnerApi>(nodeEndpoint(port));
    return {
      mode: 'async',
      inFlight: 1,
      get: (key) => api.get(key),
      set: (key, value) => api.set(key, value),
      setMany: (keys, values) => api.setMany(keys, values),
      close: () => port.close(),
    };
  },
};
