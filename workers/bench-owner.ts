import { type MessagePort, parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { OwnerApi, OwnerBatch, OwnerGreeting } from '../bench/adapters/owner.js';

/** The thread that owns the Map in the benchmarks' two owner adapters. */
const map = new Map<string, unknown>();

const api: OwnerApi = {
  get: (key) => map.get(key),
  set: (key, value) => {
    map.set(key, value);
  },
  setMany: (keys, values) => {
    for (const [i, key] of keys.entries()) map.set(key, values[i]);
  },
};

function serveBatches(port: MessagePort): void {
  port.on('message', ({ keys, values }: OwnerBatch) => {
    port.postMessage(
      keys.map((key, i) => {
        if (values[i] === undefined) return map.get(key);
        map.set(key, values[i]);
        return undefined;
      }),
    );
  });
}

parentPort?.on('message', ({ protocol, port }: OwnerGreeting) => {
  if (protocol === 'comlink') expose(api, nodeEndpoint(port));
  else serveBatches(port);
});
