import { once } from 'node:events';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { Host } from './adapter.js';

/** How load threads talk to the thread that owns the Map. */
export type OwnerProtocol = 'comlink' | 'batched';

/** What `comlink` exposes. */
export interface OwnerApi {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
  setMany(keys: readonly string[], values: readonly unknown[]): void;
}

/** One message of `batched`: keys, and beside each the value to set, or undefined to get. Answered by an array of values. */
export interface OwnerBatch {
  readonly keys: string[];
  readonly values: unknown[];
}

/** Sent to the owner for each load thread. */
export interface OwnerGreeting {
  readonly protocol: OwnerProtocol;
  readonly port: MessagePort;
}

/** A thread with a Map, and a port to it for each load thread. */
export async function startOwner(protocol: OwnerProtocol): Promise<Host> {
  const worker = new Worker(new URL('../../workers/bench-owner.js', import.meta.url), { execArgv: [] });
  await once(worker, 'online');
  return {
    handle: () => {
      const { port1, port2 } = new MessageChannel();
      worker.postMessage({ protocol, port: port1 }, [port1]);
      return { value: port2, transfer: [port2] };
    },
    close: async () => {
      await worker.terminate();
    },
  };
}
