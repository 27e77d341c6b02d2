import type { Setup } from '../adapters/adapter.js';

/** What a load thread is told when it starts. */
export interface LoadOrder {
  readonly adapter: string;
  readonly handle: unknown;
  readonly setup: Setup;
  readonly thread: number;
  readonly seed: number;
  /** Undefined for processes, which share no memory: they begin when they are told, within a ms or two of each other. */
  readonly barrier: Int32Array | undefined;
}

/** What the next rounds are about. */
export interface Work {
  readonly operations: Uint32Array;
  /** A new string for each operation, instead of the same again. */
  readonly freshKeys: boolean;
}

/** What one thread did in one round. */
export interface ThreadRound {
  readonly operations: number;
  readonly elapsedMs: number;
  /** Of that, ms in which the thread could run and no core was free; undefined where the system does not tell. */
  readonly waitedMs: number | undefined;
  /** Gets that found nothing: there should be none, since everything fits. */
  readonly misses: number;
  /** Durations of one operation in 128, in us; each includes two looks at the clock. */
  readonly latenciesUs: Float64Array;
}

/** What a load thread offers over comlink. */
export interface LoadApi {
  /** Returns the ms the store took to attach. */
  open(order: LoadOrder): Promise<number>;
  /** Stores every key's first value. */
  fill(): Promise<void>;
  /** Stores a second value under a few keys. */
  change(): Promise<void>;
  /** Throws at the first key that has not its first (or, where changed, second) value. */
  check(changed: boolean): Promise<void>;
  /** To be called before the first round. */
  take(work: Work): Promise<void>;
  run(durationMs: number): Promise<ThreadRound>;
  close(): Promise<void>;
}
