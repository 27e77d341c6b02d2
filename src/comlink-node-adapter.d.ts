/** Comlink ships its Node adapter without types. */
declare module 'comlink/dist/esm/node-adapter.mjs' {
  import type { Endpoint } from 'comlink';

  /** A MessagePort, a Worker, or whatever sends and receives as they do. */
  export interface NodeEndpoint {
    postMessage(message: unknown, transfer?: readonly unknown[]): void;
    on(name: 'message', listener: (message: unknown) => void): unknown;
    off(name: 'message', listener: (message: unknown) => void): unknown;
    start?(): void;
  }

  export default function nodeEndpoint(port: NodeEndpoint): Endpoint;
}
