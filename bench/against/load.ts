import type * as Engine from '../../src/index.js';
import { cachedKeys } from '../workloads/keys.js';
import { makeValues, VARIANTS } from '../workloads/values.js';

/** Operations between two looks at the clock. */
const SLICE = 1_024;

/** What a thread needs to work on one build's cache. */
export interface LoadOrder {
  /** URL of the build's main module. */
  readonly engine: string;
  readonly handle: Engine.SharedCacheHandle;
  readonly keys: number;
  readonly seed: number;
  /** Where in the operations the thread begins, 0 to 1. */
  readonly start: number;
}

/** A thread's load on the cache of one build. */
export class AgainstLoad {
  #cache: Engine.SharedCache<string> | undefined;
  #keys: readonly string[] = [];
  #values: readonly string[] = [];
  #operations: Uint32Array = new Uint32Array(1);
  #at = 0;
  #start = 0;

  async open({ engine, handle, keys, seed, start }: LoadOrder): Promise<void> {
    const { SharedCache } = (await import(engine)) as typeof Engine;
    this.#cache = SharedCache.attach<string>(handle);
    this.#keys = cachedKeys(keys);
    this.#values = makeValues('str', 100, seed) as readonly string[];
    this.#start = start;
  }

  /** What the following rounds do: key number times two, plus one for a write. */
  take(operations: Uint32Array): void {
    this.#operations = operations;
    this.#at = Math.floor(this.#start * operations.length);
  }

  /** Operations a second. */
  run(durationMs: number): number {
    const cache = this.#cache as Engine.SharedCache<string>;
    const operations = this.#operations;
    const startedAt = performance.now();
    let elapsedMs = 0;
    let done = 0;
    for (; elapsedMs < durationMs; elapsedMs = performance.now() - startedAt, done += SLICE) {
      for (let i = 0; i < SLICE; i++) {
        const operation = operations[this.#at++ & (operations.length - 1)];
        const key = this.#keys[operation >>> 1];
        if ((operation & 1) === 0) cache.get(key);
        else cache.put(key, this.#values[this.#at & (VARIANTS - 1)]);
      }
    }
    return (done / elapsedMs) * 1_000;
  }
}
