import { type Adapter, NO_HOST } from './adapter.js';

/** The least a cache can cost: a Map in each thread, nothing shared, nothing copied, no bound. */
export const adapter: Adapter = {
  name: 'map',
  shared: false,
  init: () => NO_HOST,
  attach: () => {
    const map = new Map<string, unknown>();
    return {
      mode: 'sync',
      get: (key) => map.get(key),
      set: (key, value) => {
        map.set(key, value);
      },
      close: () => map.clear(),
    };
  },
};
