import type { MonitorWriter } from './writer.js';

/** Records one operation with its name already looked up: for hot paths. Arguments are the caller's care. */
export class Recorder {
  readonly #writer: MonitorWriter;
  readonly #operation: number;
  /** @internal Never read: what must not be collected before the recorder. */
  readonly kept: object | undefined;

  /** @internal */
  constructor(writer: MonitorWriter, operation: number, kept?: object) {
    this.#writer = writer;
    this.#operation = operation;
    this.kept = kept;
  }

  /** `durationNs` >= 0; `operations`: how many this one stands for, what sampler.due() returned. */
  record(durationNs: number, success: boolean, sizeBytes = 0, operations = 1): void {
    this.#writer.record(this.#operation, durationNs, success, sizeBytes, operations);
  }
}

/**
 * Chooses which operations to time: one of `every` on average, after gaps drawn evenly from 1 to 2 * every - 1, so that no
 * pattern of the program falls in step with it. An operation not chosen costs a decrement and a branch.
 *
 *   const due = sampler.due();
 *   const start = due === 0 ? 0 : performance.now();
 *   ...the operation...
 *   if (due !== 0) recorder.record((performance.now() - start) * 1e6, true, sizeBytes, due);
 */
export class Sampler {
  readonly #spread: number;
  #gap = 1;
  #left = 1;
  #random: number;

  constructor(every: number) {
    this.#spread = 2 * every - 1;
    this.#random = (Math.random() * 0xffffffff) | 1;
    this.#next();
  }

  /** 0: do not time this one. Otherwise how many operations it stands for, itself and those passed over since the last. */
  due(): number {
    if (--this.#left > 0) return 0;
    const gap = this.#gap;
    this.#next();
    return gap;
  }

  /** Marsaglia's xorshift32 (Journal of Statistical Software 8/14, 2003). */
  #next(): void {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    this.#gap = 1 + ((x >>> 0) % this.#spread);
    this.#left = this.#gap;
  }
}
