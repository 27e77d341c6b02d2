import type { SharedCacheHandle } from '../handle.js';
import type { Thrown } from './failure.js';

/** What the pool leaves for its workers to find; travels as environment data, so the user's workerData stays theirs. */
export interface PoolEnvironment {
  handle: SharedCacheHandle;
  filename: string;
}

export const poolEnvironmentKey = (pool: number): string => `mooncake-cache/pool/${pool}`;

/** A task on its way to a worker: which pool's, for which export of its module. */
export interface Envelope {
  pool: number;
  name: string;
  task: unknown;
}

/** What a task's promise is rejected with on its way back. Results travel as they are, and nobody looks into them. */
export interface Failure {
  thrownByTask: Thrown;
}
