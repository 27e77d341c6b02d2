import workerThreads from 'node:worker_threads';
import { checkObject } from './arguments.js';
import { CacheTiming, DEFAULT_SAMPLE } from './cache-timing.js';
import type { Codec } from './codec/codec.js';
import { type Inspection, inspectCache } from './debug/check.js';
import { describe, rejectUnknown, SharedCacheError } from './errors.js';
import { hasCodec, type SharedCacheHandle } from './handle.js';
import { Keyspace } from './keyspace.js';
import { type LeaveListener, type ListenOptions, listen } from './listen.js';
import { Arena } from './memory/arena.js';
import { SharedMonitor } from './monitor/monitor.js';
import { type Namespace, namespaceInside } from './namespace.js';
import { openCache, settingsOf, sizesOf } from './open.js';
import {
  checkCodec,
  checkNow,
  type OpenOptions,
  type ResolvedOptions,
  resolveOptions,
  type SharedCacheOptions,
} from './options.js';
import type { Origin } from './process/open.js';
import { removeFile } from './process/remove.js';
import { Session } from './session.js';
import { type CacheStats, collectStats } from './stats.js';
import { type SweeperControl, startSweeper } from './sweeper.js';
import { Clock } from './sync/clock.js';
import { clearLocked } from './table/clear.js';
import { ROOT } from './table/space.js';
import { sweepAll } from './table/sweep.js';
import { Table } from './table/table.js';

/** Settings of an attaching thread: what a handle cannot carry. */
export interface AttachOptions {
  /** The codec the cache was created with, if it was given one. */
  codec?: Codec | undefined;
  /** This thread's clock, for tests: the time in ms. Default the machine's monotonic clock. */
  now?: (() => number) | undefined;
}

/** What an attaching constructor is given. */
interface Attached {
  codec: Codec | undefined;
  table: Table;
  monitor: SharedMonitor | undefined;
  /** Only of the thread that created the cache, and only if it is to be swept. */
  sweepIntervalMs?: number | undefined;
  /** Of the thread that opened it by its path. */
  path?: string | undefined;
  origin?: Origin | undefined;
}

/**
 * One cache that all worker threads of a process read and write synchronously: the whole of it, with its life, its
 * namespaces and its statistics. What can be done to keys is in Keyspace.
 *
 * @typeParam V - The values. Nothing checks at run time what another thread has put.
 */
export class SharedCache<V = unknown> extends Keyspace<V> {
  /** Latencies of the operations of all threads, when the cache was created with `monitor`. */
  readonly monitor: SharedMonitor | undefined;
  /** The file that is its memory, when it was opened by its path. */
  readonly path: string | undefined;
  /** What `open` found: nothing, a cache in use, one that nobody used, or one that could not be used. */
  readonly origin: Origin | undefined;
  readonly #table: Table;
  readonly #sweeper: SweeperControl | undefined;

  /** Allocates the shared memory, all of it at once. Throws ERR_INVALID_OPTION, ERR_INVALID_TTL. */
  constructor(options?: SharedCacheOptions);
  /** @internal */
  constructor(options: undefined, attached: Attached);
  constructor(options?: SharedCacheOptions, attached?: Attached) {
    const given = attached ?? createTable(resolveOptions(options));
    const { table, codec, monitor, sweepIntervalMs } = given;
    super(new Session(table, codec), ROOT);
    this.#table = table;
    this.path = given.path ?? table.place?.handle.path;
    this.origin = given.origin;
    this.monitor = monitor;
    if (monitor !== undefined) {
      const timing = new CacheTiming(monitor);
      this.session.timing = timing;
      for (const shard of table.shards) shard.timing ??= timing;
      monitor.observe(() => this.getStats());
    }
    this.#sweeper = sweepIntervalMs === undefined ? undefined : startSweeper(table.arena.buffers, sweepIntervalMs);
    // Else a cache that is posted, instead of its handle, would arrive as an object that can do nothing.
    markAsUncloneable?.(this);
    this.session.owner = this;
    collected.register(this, { table, sweeper: this.#sweeper }, this);
  }

  /**
   * The same cache in another thread, or once more in this one. Throws ERR_INVALID_HANDLE, ERR_INVALID_OPTION, and
   * ERR_TOO_MANY_THREADS when 256 are attached.
   */
  static attach<V = unknown>(handle: SharedCacheHandle, options: AttachOptions = {}): SharedCache<V> {
    checkObject(options, '{ codec, now }');
    rejectUnknown(options, ['codec', 'now'], 'option');
    const { codec, now } = options;
    if (codec !== undefined) checkCodec(codec);
    if (now !== undefined) checkNow(now);
    if (
      typeof handle !== 'object' ||
      handle === null ||
      handle.kind !== 'mooncake-cache' ||
      !Array.isArray(handle.buffers?.segments)
    ) {
      throw new SharedCacheError(
        'ERR_INVALID_HANDLE',
        `handle must be what cache.handle returned, received ${describe(handle)}: ${hintFor(handle)}`,
      );
    }
    const arena = Arena.attach(handle.buffers);
    const needsCodec = hasCodec(arena.buffers);
    if (needsCodec !== (codec !== undefined)) {
      throw new SharedCacheError(
        'ERR_INVALID_OPTION',
        `codec must be ${needsCodec ? 'the one the cache was created with' : 'left out, as when the cache was created'}, received ${describe(codec)}`,
      );
    }
    const isMonitorInFile = arena.buffers.file?.monitor !== undefined;
    const own = isMonitorInFile || handle.monitor === undefined ? undefined : SharedMonitor.attach(handle.monitor);
    const table = Table.of(arena, { now });
    return new SharedCache<V>(undefined, { codec, table, monitor: own ?? monitorIn(table) });
  }

  /**
   * One cache for all threads of all processes that open the path: the file is its memory. On /dev/shm it outlives the
   * processes, on a disk also a clean end of the machine. The first open decides the options; a later one may leave them
   * out. Linux (macOS by the same calls, untested). Needs the package koffi, or Node's own node:ffi.
   *
   * Throws ERR_INVALID_OPTION for an option that is another than the file's, ERR_INVALID_FILE for a file that is no cache of
   * this user and version, and with `mustExist` where there is none, ERR_NO_SPACE, ERR_NO_MAPPING, ERR_UNSUPPORTED_PLATFORM,
   * ERR_TOO_MANY_THREADS when 1,024 are attached.
   */
  static open<V = unknown>(path: string, options: OpenOptions = {}): SharedCache<V> {
    const { arena, opened, sweepIntervalMs } = openCache(path, options);
    const table = Table.of(arena, { now: options.now, place: opened.place });
    return new SharedCache<V>(undefined, {
      table,
      codec: options.codec,
      monitor: monitorIn(table),
      sweepIntervalMs,
      path: table.place?.handle.path,
      origin: opened.origin,
    });
  }

  /**
   * Takes the name of a cache's file away; who uses it goes on. False when there is none. Throws ERR_INVALID_FILE for a file
   * that is no cache of this user.
   */
  static remove(path: string): boolean {
    return removeFile(path);
  }

  /** @internal For what is built on the cache and needs more than its public names: the tier. */
  static sessionOf(cache: SharedCache): Session {
    return cache.session;
  }

  /** What another thread attaches by; travels in workerData, postMessage and tasks of a pool. */
  get handle(): SharedCacheHandle {
    const { buffers } = this.#table.arena;
    if (this.monitor === undefined) return { kind: 'mooncake-cache', buffers };
    return { kind: 'mooncake-cache', buffers, monitor: this.monitor.handle };
  }

  /** Live entries of the cache and of all namespaces; those that are over and not yet swept may count. */
  get size(): number {
    return this.session.open().countEntries();
  }

  /** The namespace of this name: keys and tags of its own in the same memory. Throws ERR_INVALID_ARGUMENT. */
  namespace<W = V>(name: string): Namespace<W> {
    return namespaceInside<W>(this.session, ROOT, name);
  }

  /**
   * Tells `listener` in batches, within 50 ms, of the entries of the cache and its namespaces that leave by any thread's
   * doing: in order for one key. `lost` counts those of the batch's time that it was too slow for. Returns what ends it.
   * It keeps no process alive. Throws ERR_INVALID_ARGUMENT, ERR_INVALID_OPTION.
   */
  onLeave(listener: LeaveListener, options: ListenOptions = {}): () => void {
    return listen(this.session.open(), listener, options);
  }

  /** Removes every expired entry now and returns how many there were. */
  cleanupExpired(): number {
    return this.session.begin().shards.reduce((removed, shard) => removed + sweepAll(shard), 0);
  }

  /** Removes everything, that of the namespaces too. */
  clear(): void {
    const table = this.session.open();
    table.tags.invalidateLoads();
    for (const shard of table.shards) shard.locked(undefined, () => clearLocked(shard));
  }

  /** Totals over all threads, those that have ended included. */
  getStats(): CacheStats {
    return collectStats(this.session.open());
  }

  /** Walks the whole structure, one locked shard at a time, for tests and bug reports. */
  inspect(): Inspection {
    return inspectCache(this.session.open());
  }

  /** Detaches; the creator's close also stops the sweeper. Other threads go on. Closing twice is allowed. */
  close(): void {
    if (this.closed) return;
    // First, since it takes the cache's last totals along.
    this.monitor?.close();
    this.session.close();
    collected.unregister(this);
    detach({ table: this.#table, sweeper: this.#sweeper });
  }

  /** As close, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** One line for util.inspect and console.log: never the memory. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    if (this.closed) return 'SharedCache { closed }';
    const { totalObjects, memoryUsage, maxBytes, hitRatio } = this.getStats();
    const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;
    return `SharedCache { ${totalObjects} entries, ${megabytes(memoryUsage)} of ${megabytes(maxBytes)}, ${(100 * hitRatio).toFixed(1)} % hits }`;
  }
}

/** What may have happened to a handle that is none. */
function hintFor(handle: unknown): string {
  if (handle instanceof Keyspace) return 'pass cache.handle, not the cache itself';
  // Shared memory that went through a pipe between processes arrives as plain objects.
  if (typeof handle === 'object' && handle !== null && 'kind' in handle)
    return 'handles travel to threads of one process; another process opens the cache by its path, SharedCache.open(path)';
  return 'it travels in workerData or postMessage; a cache that was posted itself is an empty object there';
}

/**
 * Node 22.10 and later have it. From the default export: a bundler makes imports by name of a namespace's members, and older
 * versions of Node refuse to load those that they have not.
 */
const { markAsUncloneable } = workerThreads as { markAsUncloneable?: (object: object) => void };

/** What a cache holds beyond its own memory. */
interface Resources {
  table: Table;
  sweeper: SweeperControl | undefined;
}

function detach({ table, sweeper }: Resources): void {
  sweeper?.stop();
  table.release();
}

/** A cache that is dropped without close() still gives back its place and its sweep. */
const collected = new FinalizationRegistry<Resources>(detach);

/** The monitor that lies in the cache's file, if there is one. The thread may have the file by an earlier mapping. */
function monitorIn(table: Table): SharedMonitor | undefined {
  const { file } = table.arena.buffers;
  if (file?.monitor === undefined || table.place === undefined) return undefined;
  return SharedMonitor.inFile(file, table.place.monitorLocks());
}

function createTable(resolved: ResolvedOptions): Attached {
  const arena = Arena.create(sizesOf(resolved), settingsOf(resolved));
  Clock.start(arena.doubles);
  const monitor =
    resolved.monitor === undefined ? undefined : new SharedMonitor({ sample: DEFAULT_SAMPLE, ...resolved.monitor });
  return {
    table: Table.of(arena, { now: resolved.now }),
    codec: resolved.codec,
    monitor,
    sweepIntervalMs: resolved.sweepIntervalMs,
  };
}
