import { pathToFileURL } from 'node:url';
import { setEnvironmentData } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { checkObject } from '../arguments.js';
import { SharedCache } from '../cache.js';
import { describe, rejectUnknown, SharedCacheError } from '../errors.js';
import { loadPackage, workerScript } from '../installed.js';
import { clearTimeout, setTimeout } from '../sync/monotonic.js';
import { type Envelope, type Failure, type PoolEnvironment, poolEnvironmentKey } from './envelope.js';
import { putTogether } from './failure.js';

type PiscinaOptions = NonNullable<ConstructorParameters<typeof Piscina>[0]>;
type PiscinaRunOptions = NonNullable<Parameters<Piscina['run']>[1]>;
type TransferList = NonNullable<PoolRunOptions['transferList']>;
/** An option that is undefined counts as one that was left out. */
type Options<T> = { [Name in keyof T]?: T[Name] | undefined };

/**
 * Settings of a pool; those not listed here are [piscina's](https://github.com/piscinajs/piscina), with its defaults but for
 * `atomics`: `'disabled'`, so that what a task has left running (a background refresh, a timer) goes on between tasks. With
 * piscina's own `'sync'` a thread without a task stands still, and so does all it has begun.
 */
export interface CachePoolOptions<V = unknown> extends Options<Omit<PiscinaOptions, 'filename' | 'name'>> {
  /**
   * Module whose default export is `(task, { cache, monitor }) => result`; a path or a file: URL. For a cache with a codec
   * it must export the codec too, as `codec`.
   */
  filename: string | URL;
  /** The cache every task sees; it stays open when the pool closes. */
  cache: SharedCache<V>;
  /** Export to run instead of the default one. */
  name?: string | undefined;
}

/** Settings of one run: piscina's `signal` (aborts the task), `transferList` and `name` (the export to run). */
export type PoolRunOptions = Options<Omit<PiscinaRunOptions, 'filename'>>;

// Loaded with the first pool.
const piscina = (): typeof import('piscina') => loadPackage('piscina');

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
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  /**
   * Starts `minThreads` threads. Throws ERR_INVALID_OPTION, also for options that piscina refuses, ERR_NO_WORKER where none
   * can be started, and ERR_MODULE_MISSING from inside of a bundle.
   */
  constructor(options: CachePoolOptions<V>) {
    checkObject(options, "{ filename, cache, ...piscina's }");
    rejectUnknown(options, POOL_OPTIONS, 'pool option');
    const { filename, cache, name = 'default', ...rest } = options;
    if (typeof filename !== 'string' && !(filename instanceof URL))
      throw invalid('filename must be a path or a file: URL', filename);
    if (!(cache instanceof SharedCache)) throw invalid('cache must be a SharedCache', cache);
    if (typeof name !== 'string') throw invalid('name must be the name of an export', name);
    const href =
      filename instanceof URL || filename.startsWith('file:') ? String(filename) : pathToFileURL(filename).href;
    const environment: PoolEnvironment = { handle: cache.handle, filename: href };
    const entry = workerScript('pool-task.cjs').href;
    const { Piscina } = piscina();
    this.cache = cache;
    this.#name = name;
    setEnvironmentData(poolEnvironmentKey(this.#id), environment as never);
    try {
      this.piscina = new Piscina({ atomics: 'disabled', ...given(rest), filename: entry });
    } catch (cause) {
      setEnvironmentData(poolEnvironmentKey(this.#id), undefined as never);
      throw refusal(cause as Error);
    }
  }

  /** The cache's monitor, if it has one. */
  get monitor(): SharedCache<V>['monitor'] {
    return this.cache.monitor;
  }

  /**
   * Runs the task and returns its result. Rejects with what the task throws (an error with its code, its cause and what else
   * it has), with ERR_INVALID_OPTION for unknown options and exports that are no functions, with ERR_CLOSED after close(),
   * and with piscina's errors (aborted, queue full).
   */
  async run<R = unknown>(task: unknown, options: PoolRunOptions = {}): Promise<R> {
    checkObject(options, RUN_OPTIONS_TEXT);
    rejectUnknown(options, RUN_OPTIONS, 'run option');
    if (this.#closing !== undefined) throw new SharedCacheError('ERR_CLOSED', 'this pool was closed');
    const { name, transferList = [], ...rest } = options;
    const moved = movedParts(task);
    const envelope: Envelope = {
      pool: this.#id,
      name: name ?? this.#name,
      task: moved === undefined ? task : moved.value,
    };
    const list = moved === undefined ? transferList : ([...transferList, moved.transferable] as TransferList);
    const running = this.piscina.run(envelope, { ...given(rest), transferList: list });
    this.#running.add(running);
    try {
      return (await running) as R;
    } catch (thrown) {
      throw isFailure(thrown) ? putTogether(thrown.thrownByTask) : thrown;
    } finally {
      this.#running.delete(running);
    }
  }

  /**
   * Ends the workers once all tasks given to `run` are done, or after piscina's `closeTimeout`; the cache stays open. Closing
   * twice is allowed.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** As close, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const { options } = this.piscina;
    try {
      // piscina itself counts a task that has ended once for every thread, and ends others that have not.
      const inTime = await settledWithin(this.#running, options.closeTimeout);
      if (!inTime) options.closeTimeout = 0;
      await this.piscina.close();
    } finally {
      setEnvironmentData(poolEnvironmentKey(this.#id), undefined as never);
    }
  }
}

/** Whether all promises have settled within so many ms. */
async function settledWithin(promises: Iterable<Promise<unknown>>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    if (Number.isFinite(ms)) timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([Promise.allSettled(promises).then(() => true), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Without the options that are undefined: to piscina they are not the same as left out. */
function given<T extends object>(options: T): { [Name in keyof T]: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}

function isFailure(thrown: unknown): thrown is Failure {
  return typeof thrown === 'object' && thrown !== null && !(thrown instanceof Error) && 'thrownByTask' in thrown;
}

function invalid(rule: string, received: unknown): SharedCacheError {
  return new SharedCacheError('ERR_INVALID_OPTION', `${rule}, received ${describe(received)}`);
}

/** Why piscina's constructor threw: with what it checks itself, or because a thread could not be started. */
function refusal(cause: Error & { code?: unknown }): SharedCacheError {
  const atStart = ['ERR_ACCESS_DENIED', 'ERR_WORKER_INIT_FAILED', 'ERR_WORKER_OUT_OF_MEMORY'].includes(
    String(cause.code),
  );
  if (atStart) return new SharedCacheError('ERR_NO_WORKER', `no thread can be started: ${cause.message}`, { cause });
  return new SharedCacheError('ERR_INVALID_OPTION', `piscina refuses: ${cause.message}`, { cause });
}

/** What Piscina.move() marked; inside an envelope piscina would not see the mark. */
function movedParts(task: unknown): { value: unknown; transferable: unknown } | undefined {
  const { transferableSymbol, valueSymbol } = piscina();
  if (typeof task !== 'object' || task === null || !(transferableSymbol in task) || !(valueSymbol in task))
    return undefined;
  const marked = task as Record<symbol, unknown>;
  return { value: marked[valueSymbol], transferable: marked[transferableSymbol] };
}
