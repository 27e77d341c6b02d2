import type { MessagePort } from 'node:worker_threads';
import type { Adapter } from './adapter.js';
import { type OwnerBatch, startOwner } from './owner.js';

const IN_FLIGHT = 64;

/** One thread owns a Map; the others send it all operations of one turn in one message. */
export const adapter: Adapter = {
  name: 'owner batched',
  shared: true,
  init: () => startOwner('batched'),
  attach: (handle) => {
    const port = handle as MessagePort;
    const waiting: ((value: unknown) => void)[][] = [];
    let batch: OwnerBatch = { keys: [], values: [] };
    let resolvers: ((value: unknown) => void)[] = [];

    const send = (): void => {
      port.postMessage(batch);
      waiting.push(resolvers);
      batch = { keys: [], values: [] };
      resolvers = [];
    };
    const ask = (key: string, value: unknown): Promise<unknown> => {
      if (batch.keys.length === 0) queueMicrotask(send);
      batch.keys.push(key);
      batch.values.push(value);
      return new Promise((resolve) => {
        resolvers.push(resolve);
      });
    };
    port.on('message', (values: unknown[]) => {
      for (const [i, resolve] of (waiting.shift() ?? []).entries()) resolve(values[i]);
    });
    return {
      mode: 'async',
      inFlight: IN_FLIGHT,
      get: (key) => ask(key, undefined),
      set: ask,
      close: () => port.close(),
    };
  },
};
