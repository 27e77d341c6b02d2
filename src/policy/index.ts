import { fifo } from './fifo.js';
import type { PolicyFactory } from './policy.js';

/** In the order of their numbers in shared memory. */
export const EVICTION_NAMES = ['adaptive', 's3-fifo', 'lru', 'lfu', 'fifo'] as const;
export type EvictionName = (typeof EVICTION_NAMES)[number];

export const policies: Record<EvictionName, PolicyFactory> = {
  adaptive: fifo,
  's3-fifo': fifo,
  lru: fifo,
  lfu: fifo,
  fifo,
};
