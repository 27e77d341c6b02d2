import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { setEnvironmentData } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { checkObject } from '../arguments.js';
import { SharedCache } from '../cache.js';
import { describe, type ErrorCode, rejectUnknown, SharedCacheError } from '../errors.js';
import type { SharedCacheHandle } from '../handle.js';

type PiscinaOptions = NonNullable<ConstructorParameters<typeof Piscina>[0]>;
type TransferList = NonNullable<PoolRunOptions['transferList']>;

/** Settings of a pool; those not listed here are [piscina's](https://github.com/piscinajs/piscina), with its defaults. */
export interface CachePoolOptions<V = unknown> extends Omit<PiscinaOptions, 'filename' | 'name'> {
  /** Module whose default export is `(task, { cache, monitor }) => result`; a path or a file: URL. */
  filename: string | URL;
  /** The cache every task sees; it stays open when the pool closes. */
  cache: SharedCache<V>;
  /** Export to run instead of the default one. */
  name?: string;
}

/** Settings of one run: piscina's `signal` (aborts the task), `transferList` and `name` (the export to run). */
export type PoolRunOptions = Omit<NonNullable<Parameters<Piscina['run']>[1]>, 'filename'>;

/** What a task function gets as its second argument. */
export interface TaskContext<V = unknown> {
  /** The pool's cache, attached in the task's thread. */
  cache: SharedCache<V>;
  /** The cache's monitor, if it has one. */
  monitor: SharedCache<V>['monitor'];
}

/** What the pool leaves for its workers to find; travels as environment data, so the user's workerData stays theirs. */
export interface PoolEnvironment {
  handle: SharedCacheHandle;
  filename: string;
}

/** A task on its way to a worker: which pool's, for which export of its module. */
export interface Envelope {
  pool: number;
  name: string;
  task: unknown;
}

/** A SharedCacheError on its way back: a cloned error would come without its class and its code. */
export interface Failure {
  sharedCacheError: { code: ErrorCode; message: string; stack: string | undefined };
}

// Loaded with the first pool: the pool's own workers, which import this file for its names, start sooner without it.
const require = createRequire(import.meta.url);
const piscina = (): typeof import('piscina') => require('piscina') as typeof import('piscina');

// Kept complete by the compiler: it knows the options of the piscina this is built with.
const POOL_OPTIONS = Object.keys({
  filename: true,
  cache: true,
  name: true,
  minThreads: true,
  maxThreads: true,
  idleTimeout: true,
  maxQueue: true,
  concurrentTasksPerWorker: true,
  atomics: true,
  resourceLimits: true,
  argv: true,
  execArgv: true,
  env: true,
  workerData: true,
  taskQueue: true,
  niceIncrement: true,
  trackUnmanagedFds: true,
  closeTimeout: true,
  recordTiming: true,
  stricterFIFO: true,
  loadBalancer: true,
  workerHistogram: true,
} satisfies Record<keyof CachePoolOptions, true>);
const RUN_OPTIONS = ['signal', 'transferList', 'name'] satisfies (keyof PoolRunOptions)[];
const RUN_OPTIONS_TEXT = `{ ${RUN_OPTIONS.join(', ')} }`;

const ENTRY = new URL('../../workers/pool-task.js', import.meta.url).href;

export const poolEnvironmentKey = (id: number): string => `mooncake-cache/pool/${id}`;

let pools = 0;

/**
 * A piscina pool whose tasks all see one cache. Piscina's options, queue, abort signals, transfer lists and recycling work
 * as ever; each worker thread attaches to the cache once.
 */
export class CachePool<V = unknown> {
  /** The cache every task sees. */
  readonly cache: SharedCache<V>;
  /** The pool beneath, for its events and figures. */
  readonly piscina: Piscina;
  readonly #id = ++pools;
  readonly #name: string;

  /** Starts `minThreads` threads. Throws ERR_INVALID_OPTION, also for options that piscina refuses. */
  constructor(options: CachePoolOptions<V>) {
    checkObject(options, "{ filename, cache, ...piscina's }");
    rejectUnknown(options, POOL_OPTIONS, 'pool option');
    const { filename, cache, name = 'default', ...piscinaOptions } = options;
    if (typeof filename !== 'string' && !(filename instanceof URL)) {
      throw new SharedCacheError(
        'ERR_INVALID_OPTION',
        `filename must be a path or a file: URL, received ${describe(filename)}`,
      );
    }
    if (!(cache instanceof SharedCache)) {
      throw new SharedCacheError('ERR_INVALID_OPTION', `cache must be a SharedCache, received ${describe(cache)}`);
    }
    if (typeof name !== 'string') {
      throw new SharedCacheError(
        'ERR_INVALID_OPTION',
        `name must be the name of an export, received ${describe(name)}`,
      );
    }
    const href =
      filename instanceof URL || filename.startsWith('file:') ? String(filename) : pathToFileURL(filename).href;
    const environment: PoolEnvironment = { handle: cache.handle, filename: href };
    this.cache = cache;
    this.#name = name;
    setEnvironmentData(poolEnvironmentKey(this.#id), environment as never);
    const { Piscina } = piscina();
    try {
      this.piscina = new Piscina({ ...piscinaOptions, filename: ENTRY });
    } catch (cause) {
      setEnvironmentData(poolEnvironmentKey(this.#id), undefined as never);
      throw new SharedCacheError('ERR_INVALID_OPTION', `piscina refuses: ${(cause as Error).message}`, { cause });
    }
  }

  /** The cache's monitor, if it has one. */
  get monitor(): SharedCache<V>['monitor'] {
    return this.cache.monitor;
  }

  /**
   * Runs the task and returns its result. Rejects with what the task throws, with ERR_INVALID_OPTION for unknown options and
   * exports that are no functions, and with piscina's errors (aborted, queue full, closed).
   */
  async run<R = unknown>(task: unknown, options: PoolRunOptions = {}): Promise<R> {
    checkObject(options, RUN_OPTIONS_TEXT);
    rejectUnknown(options, RUN_OPTIONS, 'run option');
    const { name, transferList = [], ...rest } = options;
    const moved = movedParts(task);
    const envelope: Envelope = {
      pool: this.#id,
      name: name ?? this.#name,
      task: moved === undefined ? task : moved.value,
    };
    const list = moved === undefined ? transferList : ([...transferList, moved.transferable] as TransferList);
    const result = (await this.piscina.run(envelope, { ...rest, transferList: list })) as R | Failure;
    if (!isFailure(result)) return result;
    const { code, message, stack } = result.sharedCacheError;
    const error = new SharedCacheError(code, message);
    if (stack !== undefined) error.stack = stack;
    throw error;
  }

  /** Ends the workers once their tasks are done; the cache stays open. */
  async close(): Promise<void> {
    await this.piscina.close();
    setEnvironmentData(poolEnvironmentKey(this.#id), undefined as never);
  }

  /** As close, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function isFailure(result: unknown): result is Failure {
  return typeof result === 'object' && result !== null && 'sharedCacheError' in result;
}

/** What Piscina.move() marked; inside an envelope piscina would not see the mark. */
function movedParts(task: unknown): { value: unknown; transferable: unknown } | undefined {
  const { transferableSymbol, valueSymbol } = piscina();
  if (typeof task !== 'object' || task === null || !(transferableSymbol in task) || !(valueSymbol in task))
    return undefined;
  const marked = task as Record<symbol, unknown>;
  return { value: marked[valueSymbol], transferable: marked[transferableSymbol] };
}
