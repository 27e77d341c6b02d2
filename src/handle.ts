import type { ArenaBuffers } from './memory/arena.js';
import { CONTROL, FLAG_CUSTOM_CODEC } from './memory/layout.js';
import type { SharedMonitorHandle } from './monitor/types.js';

/** What another thread needs to attach: structured-cloneable, for workerData, postMessage or a pool's task. */
export interface SharedCacheHandle {
  /** Tells it from other messages. */
  readonly kind: 'mooncake-cache';
  /** The cache's whole memory. */
  readonly buffers: ArenaBuffers;
  /** Present when the cache has a monitor. */
  readonly monitor?: SharedMonitorHandle;
}

/** Whether the cache was created with a codec, which every thread that attaches must name. */
export function hasCodec({ control }: ArenaBuffers): boolean {
  return (new Int32Array(control)[CONTROL.flags] & FLAG_CUSTOM_CODEC) !== 0;
}
