import { adaptive } from './adaptive.js';
import { fifo } from './fifo.js';
import { lfu } from './lfu.js';
import { lru } from './lru.js';
import type { PolicyFactory } from './policy.js';
import { s3Fifo } from './s3-fifo.js';

/** In the order of their numbers in shared memory. */
export const EVICTION_NAMES = ['adaptive', 's3-fifo', 'lru', 'lfu', 'fifo'] as const;
/** An eviction policy; docs/eviction.md tells which one is for which load. */
export type EvictionName = (typeof EVICTION_NAMES)[number];

export const policies: Record<EvictionName, PolicyFactory> = { adaptive, 's3-fifo': s3Fifo, lru, lfu, fifo };
