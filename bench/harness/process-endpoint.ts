import type { Endpoint } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';

interface Channel {
  readonly connected?: boolean;
  send?(message: unknown): boolean;
  on(name: 'message', listener: (message: unknown) => void): unknown;
  off(name: 'message', listener: (message: unknown) => void): unknown;
}

/** Comlink over the channel between a process and one it forked, from either end. Nothing can be transferred. */
export function processEndpoint(channel: Channel): Endpoint {
  return nodeEndpoint({
    postMessage: (message) => {
      // Comlink says goodbye when its proxy is collected, which may be after the process has ended.
      if (channel.connected) channel.send?.(message);
    },
    on: (name, listener) => channel.on(name, listener),
    off: (name, listener) => channel.off(name, listener),
  });
}
