import type { Adapter } from './adapter.js';
import { hostDirectory, openStore } from './lmdb.js';

/** Writes that may wait for their batch before the thread waits for them. */
const MAX_PENDING = 1024;

/** lmdb, writes collected and committed together on its own thread, visible later. */
export const adapter: Adapter = {
  name: 'lmdb batched',
  shared: true,
  overProcesses: true,
  init: hostDirectory,
  attach: (handle, setup) => {
    const database = openStore(handle as string, setup);
    let last: Promise<boolean> | undefined;
    let pending = 0;
    return {
      mode: 'sync',
      get: (key) => database.get(key),
      set: (key, value) => {
        last = database.put(key, value);
        pending++;
      },
      settle: (all) => {
        if (!all && pending < MAX_PENDING) return undefined;
        pending = 0;
        return last;
      },
      close: async () => {
        await last;
        await database.close();
      },
    };
  },
};
