import { join } from 'node:path';
import { SharedCache, type SharedCacheHandle, type SharedCacheOptions } from '../../src/index.js';
import type { Adapter, Host } from './adapter.js';
import { memoryDirectory } from './directory.js';

const MB = 1024 * 1024;
/** Index, entry head, key and the rounding of a block, per entry, with room to spare. */
const OVERHEAD_BYTES = 160;

/** A cache that load threads attach to, or that their processes open by its path. */
export function hostCache(options: SharedCacheOptions, processes: boolean): Host {
  if (!processes) {
    const cache = new SharedCache(options);
    return { handle: () => ({ value: cache.handle }), close: () => cache.close() };
  }
  const { path: directory, remove } = memoryDirectory('bench-mooncake-');
  const path = join(directory, 'cache');
  const cache = SharedCache.open(path, options);
  return {
    handle: () => ({ value: path }),
    close: () => {
      cache.close();
      remove();
    },
  };
}

/** This cache under some options, large enough that nothing is evicted. */
export function adapterOf(options: SharedCacheOptions): Omit<Adapter, 'name'> {
  return {
    shared: true,
    overProcesses: true,
    init: ({ keys, valueBytes, processes }) => {
      const averageEntryBytes = valueBytes + 52;
      const maxBytes = Math.max(64 * MB, Math.ceil(keys * (valueBytes + OVERHEAD_BYTES) * 1.4));
      return hostCache({ maxBytes, averageEntryBytes, ...options }, processes);
    },
    attach: (handle) => {
      const cache =
        typeof handle === 'string' ? SharedCache.open(handle) : SharedCache.attach(handle as SharedCacheHandle);
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
}

/** With its defaults. */
export const adapter: Adapter = { name: 'mooncake', ...adapterOf({}) };
