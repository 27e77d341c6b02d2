import { LRUCache } from 'lru-cache';
import { type Adapter, NO_HOST } from './adapter.js';

/** What most services use today: an lru-cache in each thread, nothing shared. */
export const adapter: Adapter = {
  name: 'lru-cache',
  shared: false,
  init: () => NO_HOST,
  attach: (_handle, { keys }) => {
    const cache = new LRUCache<string, NonNullable<unknown>>({ max: keys });
    return {
      mode: 'sync',
      get: (key) => cache.get(key),
      set: (key, value) => {
        cache.set(key, value as NonNullable<unknown>);
      },
      close: () => cache.clear(),
    };
  },
};
