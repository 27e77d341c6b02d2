import type { Adapter } from './adapter.js';
import { hostDirectory, openStore } from './lmdb.js';

/** lmdb, each write a transaction of its own, committed when the call returns. */
export const adapter: Adapter = {
  name: 'lmdb putSync',
  shared: true,
  overProcesses: true,
  init: hostDirectory,
  attach: (handle, setup) => {
    const database = openStore(handle as string, setup);
    return {
      mode: 'sync',
      get: (key) => database.get(key),
      set: (key, value) => {
        database.putSync(key, value);
      },
      setMany: (keys, values) => {
        database.transactionSync(() => {
          for (const [i, key] of keys.entries()) database.putSync(key, values[i]);
        });
      },
      close: () => database.close(),
    };
  },
};
