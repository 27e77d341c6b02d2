import type { ArenaBuffers } from './memory/arena.js';
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
