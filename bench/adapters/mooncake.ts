import { SharedCache, type SharedCacheHandle } from '../../src/index.js';
import type { Adapter } from './adapter.js';

const MB = 1024 * 1024;
/** Index, entry head, key and the rounding of a block, per entry, with room to spare. */
const OVERHEAD_BYTES = 160;

/** This cache, with its defaults; large enough that nothing is evicted. */
export const adapter: Adapter = {
  name: 'mooncake',
  shared: true,
  init: ({ keys, valueBytes }) => {
    const averageEntryBytes = valueBytes + 52;
    const maxBytes = Math.max(64 * MB, Math.ceil(keys * (valueBytes + OVERHEAD_BYTES) * 1.4));
    const cache = new SharedCache({ maxBytes, averageEntryBytes });
    return { handle: () => ({ value: cache.handle }), close: () => cache.close() };
  },
  attach: (handle) => {
    const cache = SharedCache.attach(handle as SharedCacheHandle);
    return {
      mode: 'sync',
      get: (key) => cache.get(key),
      set: (key, value) => {
        cache.put(key, value);
      },
      close: () => cache.close(),
    };
  },
};
