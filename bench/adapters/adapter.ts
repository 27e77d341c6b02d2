/**
 * What the harness asks of every way to share, in the shape of otter's bench adapters: init, get, set, name, close, and
 * attach for each thread. An adapter file is loaded by the main thread and by every load thread.
 */
import type { Transferable } from 'node:worker_threads';

/** str: 100 ASCII characters. json: a small object. buf: a Buffer of 4 KiB. */
export type ValueKind = 'str' | 'json' | 'buf';

/** Structured-cloneable: the same for the main thread and all load threads. */
export interface Setup {
  readonly kind: ValueKind;
  /** How many different keys there are; all of them must fit. */
  readonly keys: number;
  /** Bytes of a str or buf value. */
  readonly valueBytes: number;
  /** How many load threads there are. */
  readonly threads: number;
  /** Whether each load thread is the main thread of a process of its own. */
  readonly processes: boolean;
}

/** The thing under test, as the main thread holds it. */
export interface Host {
  /** What load thread number `thread` needs to attach. */
  handle(thread: number): { value: unknown; transfer?: readonly Transferable[] };
  close(): Promise<void> | void;
}

/** One thread's access, when an operation is done as the call returns. */
export interface SyncStore {
  readonly mode: 'sync';
  get(key: string): unknown;
  set(key: string, value: unknown): void;
  /** Many sets at once, for filling, which is not timed. Default one after the other. */
  setMany?(keys: readonly string[], values: readonly unknown[]): void;
  /** For stores whose writes need the event loop. Awaited between slices of operations, and with `all` when all must be done. */
  settle?(all: boolean): Promise<unknown> | undefined;
  close(): Promise<void> | void;
}

/** One thread's access, when an operation is a promise. */
export interface AsyncStore {
  readonly mode: 'async';
  /** Operations a thread keeps under way. */
  readonly inFlight: number;
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<unknown>;
  /** As in SyncStore. */
  setMany?(keys: readonly string[], values: readonly unknown[]): Promise<unknown>;
  close(): Promise<void> | void;
}

export type Store = SyncStore | AsyncStore;

export interface Adapter {
  readonly name: string;
  /** False when each thread has a store of its own, and fills it itself. */
  readonly shared: boolean;
  /** The kinds of values it is measured with. Default all. */
  readonly kinds?: readonly ValueKind[];
  /** True when what `handle` gives also serves another process. */
  readonly overProcesses?: boolean;
  /** Undefined, or why this adapter cannot run here. May install what is missing. */
  unavailable?(): string | undefined;
  init(setup: Setup): Promise<Host> | Host;
  attach(handle: unknown, setup: Setup): Promise<Store> | Store;
}

/** For adapters that share nothing: nothing to hold, nothing to pass on. */
export const NO_HOST: Host = {
  handle: () => ({ value: undefined }),
  close: () => {},
};
