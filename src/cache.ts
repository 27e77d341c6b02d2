import { checkKeys, checkLoad, checkObject, listPairs, NO_OPTIONS, ttlOf } from './arguments.js';
import { Attachment } from './attachment.js';
import { CacheTiming, DEFAULT_SAMPLE } from './cache-timing.js';
import type { Codec } from './codec/codec.js';
import { ValueKind } from './codec/kinds.js';
import { ValueEncoder } from './codec/value.js';
import { type Inspection, inspectCache } from './debug/check.js';
import { checkFunction, describe, rejectUnknown, SharedCacheError } from './errors.js';
import { type AsyncLoadOptions, Flight, type FlightTarget, type LoadOptions } from './flight/flight.js';
import { Leases } from './flight/leases.js';
import { Arena, type ArenaBuffers } from './memory/arena.js';
import { CONTROL, COUNTER, FLAG_CUSTOM_CODEC } from './memory/layout.js';
import { planSizes } from './memory/sizing.js';
import { SharedMonitor } from './monitor/monitor.js';
import type { SharedMonitorHandle } from './monitor/types.js';
import { checkCodec, checkTtl, resolveOptions, type SharedCacheOptions } from './options.js';
import { EVICTION_NAMES, policies } from './policy/index.js';
import { type CacheStats, collectStats, countEntries } from './stats.js';
import { type SweeperControl, startSweeper } from './sweeper.js';
import { clearLocked } from './table/clear.js';
import { noteStoredLocked, Reading, read } from './table/get.js';
import { incrementLocked, touchLocked } from './table/increment.js';
import { NO_SLOT } from './table/index.js';
import { eachEntry } from './table/iterate.js';
import { Near, NOT_NEAR } from './table/near.js';
import { fits, putLocked, refuseLocked } from './table/put.js';
import { removeLocked } from './table/remove.js';
import type { Shard } from './table/shard.js';
import { sweepPages } from './table/sweep.js';
import { replaceIfSameLocked, type Snapshot, takeSnapshot } from './table/update.js';
import { ValueReader } from './value-reader.js';

/** What another thread needs to attach: structured-cloneable, for workerData, postMessage or a pool's task. */
export interface SharedCacheHandle {
  /** Tells it from other messages. */
  readonly kind: 'mooncake-cache';
  /** The cache's whole memory. */
  readonly buffers: ArenaBuffers;
  /** Present when the cache has a monitor. */
  readonly monitor?: SharedMonitorHandle;
}

/** Settings of one write. */
export interface PutOptions {
  /** Time to live in ms; `Infinity` never expires, 0 stores nothing live. Default the cache's `ttl`. */
  ttl?: number;
}

/** Settings of an attaching thread: what a handle cannot carry. */
export interface AttachOptions {
  /** The codec the cache was created with, if it was given one. */
  codec?: Codec;
}

/** Where an entry is that was over as soon as it was put. */
const GONE = -2;

/** What an attaching constructor is given. */
interface Attached extends AttachOptions {
  monitor?: SharedMonitor | undefined;
}

/**
 * One cache that all worker threads of a process read and write synchronously.
 *
 * (A file longer than its neighbours because it is the whole surface; what a method does is in `table/`.)
 *
 * A put that has returned is seen by every get that starts afterwards, on any thread. Values are copied in and out.
 * Keys are strings of at most 64 KiB in UTF-8; values whatever `structuredClone` keeps. Times are in ms, sizes in bytes.
 * Methods throw SharedCacheError only, before anything has changed: ERR_INVALID_KEY, ERR_INVALID_VALUE, ERR_INVALID_TTL,
 * ERR_INVALID_OPTION, ERR_INVALID_ARGUMENT, and ERR_CLOSED after close(). What is there besides is said at each method.
 *
 * @typeParam V - The values. Nothing checks at run time what another thread has put.
 */
export class SharedCache<V = unknown> {
  /** Latencies of the operations of all threads, when the cache was created with `monitor`. */
  readonly monitor: SharedMonitor | undefined;
  readonly #attachment: Attachment;
  readonly #value: ValueEncoder;
  readonly #reader: ValueReader;
  readonly #reading = new Reading();
  readonly #near: Near;
  /** When what the last get found expires. */
  #lastExpiresAt = Number.POSITIVE_INFINITY;
  readonly #defaultTtl: number;
  readonly #maxEntryBytes: number;
  readonly #sweeper: SweeperControl | undefined;
  readonly #flight: Flight<V>;
  readonly #timing: CacheTiming | undefined;
  #closed = false;

  /** Allocates the shared memory, all of it at once. Throws ERR_INVALID_OPTION, ERR_INVALID_TTL. */
  constructor(options?: SharedCacheOptions);
  /** @internal */
  constructor(options: SharedCacheOptions | undefined, attached: Attachment, attachOptions: Attached);
  constructor(options?: SharedCacheOptions, attached?: Attachment, attachOptions?: Attached) {
    let codec = attachOptions?.codec;
    let monitor = attachOptions?.monitor;
    if (attached === undefined) {
      const resolved = resolveOptions(options);
      codec = resolved.codec;
      if (resolved.monitor !== undefined) monitor = new SharedMonitor({ sample: DEFAULT_SAMPLE, ...resolved.monitor });
      this.#attachment = Attachment.of(createArena(resolved));
      this.#sweeper =
        resolved.sweepIntervalMs === undefined ? undefined : startSweeper(this.handle, resolved.sweepIntervalMs);
    } else {
      this.#attachment = attached;
    }
    const { doubles } = this.#attachment.arena;
    this.#defaultTtl = doubles[CONTROL.defaultTtl >> 1];
    this.#maxEntryBytes = doubles[CONTROL.maxEntryBytes >> 1];
    this.#near = new Near(doubles[CONTROL.maxBytes >> 1]);
    this.#value = new ValueEncoder(codec);
    this.#reader = new ValueReader(codec);
    this.#flight = this.#createFlight();
    this.monitor = monitor;
    this.#timing = monitor === undefined ? undefined : new CacheTiming(monitor);
    for (const shard of this.#attachment.shards) shard.timing ??= this.#timing;
    monitor?.observe(() => this.getStats());
    collected.register(this, { attachment: this.#attachment, sweeper: this.#sweeper }, this);
  }

  /**
   * The same cache in another thread, or once more in this one. Throws ERR_INVALID_HANDLE, ERR_INVALID_OPTION, and
   * ERR_TOO_MANY_THREADS when 256 are attached.
   */
  static attach<V = unknown>(handle: SharedCacheHandle, options: AttachOptions = {}): SharedCache<V> {
    checkObject(options, '{ codec }');
    rejectUnknown(options, ['codec'], 'option');
    if (options.codec !== undefined) checkCodec(options.codec);
    if (
      typeof handle !== 'object' ||
      handle === null ||
      handle.kind !== 'mooncake-cache' ||
      !Array.isArray(handle.buffers?.segments)
    ) {
      throw new SharedCacheError(
        'ERR_INVALID_HANDLE',
        `handle must be what cache.handle returned, received ${describe(handle)}`,
      );
    }
    const arena = Arena.attach(handle.buffers);
    const hasCodec = (arena.words[CONTROL.flags] & FLAG_CUSTOM_CODEC) !== 0;
    if (hasCodec !== (options.codec !== undefined)) {
      throw new SharedCacheError(
        'ERR_INVALID_OPTION',
        `codec must be ${hasCodec ? 'the one the cache was created with' : 'left out, as when the cache was created'}, received ${describe(options.codec)}`,
      );
    }
    const monitor = handle.monitor === undefined ? undefined : SharedMonitor.attach(handle.monitor);
    return new SharedCache<V>(undefined, Attachment.of(arena), { ...options, monitor });
  }

  /** What another thread attaches by; travels in workerData, postMessage and tasks of a pool. */
  get handle(): SharedCacheHandle {
    const { buffers } = this.#attachment.arena;
    if (this.monitor === undefined) return { kind: 'mooncake-cache', buffers };
    return { kind: 'mooncake-cache', buffers, monitor: this.monitor.handle };
  }

  /** Largest key + value, in encoded bytes, that can be stored. */
  get maxEntryBytes(): number {
    return this.#maxEntryBytes;
  }

  /** Entries in the cache; expired ones not yet swept may count. */
  get size(): number {
    return countEntries(this.#open());
  }

  /**
   * Stores the value under the key, replacing what was there. False when the entry is larger than `maxEntryBytes` (the key
   * is then absent, nothing was evicted for it) or when the lock could not be had.
   */
  put(key: string, value: V, options?: PutOptions): boolean {
    const due = this.#timing === undefined ? 0 : this.#timing.due();
    if (due === 0) return this.#put(key, value, options);
    const start = performance.now();
    const stored = this.#put(key, value, options);
    this.#timing?.recordPut(start, stored, this.#value.lengthBytes, due);
    return stored;
  }

  #put(key: string, value: V, options?: PutOptions): boolean {
    const { key: encoder, clock } = this.#open();
    // The key last: getters in options and value may use this cache, and with it the one key encoder.
    const ttl = this.#ttl(options);
    this.#value.encode(value);
    encoder.encode(key);
    const expiresAt = clock.expiryAfter(ttl);
    const shard = this.#attachment.shardOf(encoder.hash);
    if (!shard.lock()) return false;
    let completed = false;
    let slot = NO_SLOT;
    try {
      slot = this.#putLocked(shard, ttl, expiresAt);
      if (slot >= 0) noteStoredLocked(shard, encoder.hash, slot, expiresAt, this.#reading);
      completed = true;
    } finally {
      shard.unlock(completed);
    }
    if (slot >= 0) this.#near.wrote(key, shard, this.#reading, value);
    return slot !== NO_SLOT;
  }

  /** A copy of the live value, or undefined. Counts as an access. Throws ERR_CORRUPTED if somebody wrote over the memory. */
  get(key: string): V | undefined {
    const due = this.#timing === undefined ? 0 : this.#timing.due();
    if (due === 0) return this.#get(key);
    const start = performance.now();
    const value = this.#get(key);
    this.#timing?.recordGet(start, value !== undefined, due);
    return value;
  }

  #get(key: string): V | undefined {
    const { key: encoder, counters, clock } = this.#open();
    encoder.encode(key);
    const shard = this.#attachment.shardOf(encoder.hash);
    const near = this.#near.find(key, encoder.hash, shard);
    if (near !== NOT_NEAR && !clock.hasExpired(this.#near.expiresAt(near))) {
      counters[COUNTER.hits]++;
      this.#lastExpiresAt = this.#near.expiresAt(near);
      return this.#near.value(near) as V;
    }
    const reading = this.#reading;
    if (read(shard, encoder, reading, true) === 'found' && !clock.hasExpired(reading.expiresAt)) {
      counters[COUNTER.hits]++;
      shard.policy.hit(reading.slot, reading.hash, reading.policyWord);
      const { kind, expiresAt } = reading;
      const value = this.#reader.value(reading) as V;
      // A codec may have used this cache meanwhile, and with it the one reading.
      if (kind !== ValueKind.custom) this.#near.remember(key, shard, reading, value);
      this.#lastExpiresAt = expiresAt;
      return value;
    }
    counters[COUNTER.misses]++;
    return undefined;
  }

  /** As get, but leaves recency and hit counts alone. */
  peek(key: string): V | undefined {
    return this.#find(key, true) ? (this.#reader.value(this.#reading) as V) : undefined;
  }

  /** Whether the key is live; leaves recency and hit counts alone. */
  has(key: string): boolean {
    return this.#find(key, false);
  }

  /** Removes the key; true if a live entry was removed. */
  delete(key: string): boolean {
    const { clock, shard } = this.#locate(key);
    const due = this.#timing === undefined ? 0 : this.#timing.due();
    const start = due === 0 ? 0 : performance.now();
    const removed = this.#locked(shard, false, () => removeLocked(shard, this.#attachment.key, clock));
    if (due !== 0) this.#timing?.recordDelete(start, due);
    return removed;
  }

  /** Stores the value if the key is absent: of any number of racing threads, exactly one gets true. */
  putIfAbsent(key: string, value: V, options?: PutOptions): boolean {
    this.#open();
    const ttl = this.#ttl(options);
    this.#value.encode(value);
    const { clock, shard } = this.#locate(key);
    const expiresAt = clock.now() + ttl;
    return this.#locked(shard, false, () => {
      if (takeSnapshot(shard, this.#attachment.key, this.#reading, clock) !== undefined) return false;
      return this.#putLocked(shard, ttl, expiresAt) !== NO_SLOT;
    });
  }

  /**
   * Atomic read-modify-write: stores what `change` returns for the current value; undefined deletes. `change` runs without a
   * lock, and again when another thread was quicker. Returns what was stored; undefined too when it could not be stored.
   * Throws ERR_LOCK_TIMEOUT when it loses every race for the whole lock timeout, as it must if `change` writes the key.
   */
  update(key: string, change: (current: V | undefined) => V | undefined, options?: PutOptions): V | undefined {
    checkFunction('the change', change);
    const ttl = this.#ttl(options);
    let firstLoss = 0;
    for (;;) {
      const { clock, shard } = this.#locate(key);
      const before = this.#locked<Snapshot | undefined>(shard, undefined, () =>
        takeSnapshot(shard, this.#attachment.key, this.#reading, clock),
      );
      const current = before === undefined ? undefined : (this.#reader.value(this.#reading) as V);
      const next = change(current);
      // `change` and getters in what it returned may have used this cache: encode the key again, and last.
      if (next !== undefined) this.#value.encode(next);
      this.#attachment.key.encode(key);
      const expiresAt = clock.now() + ttl;
      const done = this.#locked<boolean | undefined>(shard, false, () =>
        replaceIfSameLocked(shard, this.#attachment.key, before, this.#reading, clock, () => {
          if (next !== undefined) return this.#putLocked(shard, ttl, expiresAt) !== NO_SLOT;
          removeLocked(shard, this.#attachment.key, clock);
          return true;
        }),
      );
      if (done !== undefined) return done ? next : undefined;
      if (firstLoss === 0) firstLoss = performance.now();
      const { lockTimeoutMs } = this.#attachment.lockContext;
      if (performance.now() - firstLoss > lockTimeoutMs) {
        throw new SharedCacheError(
          'ERR_LOCK_TIMEOUT',
          `the update of ${describe(key)} lost every race for ${lockTimeoutMs} ms: its callback must not write the key, other threads only less often`,
        );
      }
    }
  }

  /**
   * Adds `by` to the number under the key and returns the sum; an absent key counts as 0 and gets the TTL, a present one keeps
   * its own. Throws ERR_INVALID_VALUE when the entry is not a number, ERR_LOCK_TIMEOUT when the lock could not be had.
   */
  increment(key: string, by = 1, options?: PutOptions): number {
    if (typeof by !== 'number' || Number.isNaN(by))
      throw new SharedCacheError('ERR_INVALID_ARGUMENT', `by must be a number, not NaN, received ${describe(by)}`);
    this.#open();
    const ttl = this.#ttl(options);
    const { clock, counters, shard } = this.#locate(key);
    const expiresAt = clock.now() + ttl;
    this.#value.encode(by);
    const result = this.#locked<ReturnType<typeof incrementLocked> | 'unavailable'>(shard, 'unavailable', () => {
      if (!fits(shard, this.#attachment.key, this.#value, this.#maxEntryBytes)) {
        refuseLocked(shard, this.#attachment.key);
        return 'refused';
      }
      // Nothing is there that could keep its TTL, and the new one is over at once.
      if (ttl === 0 && takeSnapshot(shard, this.#attachment.key, this.#reading, clock) === undefined) return by;
      return incrementLocked(shard, this.#attachment.key, by, this.#value, expiresAt, clock);
    });
    if (result === 'unavailable') {
      const { lockTimeoutMs } = this.#attachment.lockContext;
      throw new SharedCacheError(
        'ERR_LOCK_TIMEOUT',
        `another thread kept ${describe(key)} locked for ${lockTimeoutMs} ms`,
      );
    }
    if (result === 'mismatch') {
      throw new SharedCacheError(
        'ERR_INVALID_VALUE',
        `increment needs a number under ${describe(key)}, another type is stored there`,
      );
    }
    counters[COUNTER.puts]++;
    return result === 'refused' ? by : result;
  }

  /** What get returns for each key, in order. */
  getMany(keys: readonly string[]): (V | undefined)[] {
    checkKeys(keys);
    return keys.map((key) => this.get(key));
  }

  /** Stores all entries, and returns how many were stored. All are validated before the first is stored. */
  putMany(entries: Iterable<readonly [string, V]>, options?: PutOptions): number {
    this.#open();
    const ttl = this.#ttl(options);
    const list = listPairs(entries);
    for (const [key, value] of list) {
      this.#attachment.key.encode(key);
      // What else can be stored needs no try.
      if (typeof value !== 'string' && typeof value !== 'number') this.#value.encode(value);
    }
    let stored = 0;
    for (const [key, value] of list) if (this.put(key, value, { ttl })) stored++;
    return stored;
  }

  /** Length of the leading run of keys that are present: an access of each, and one miss for the key that ended the run. */
  longestPrefix(keys: readonly string[]): number {
    const { counters } = this.#open();
    checkKeys(keys);
    let length = 0;
    for (const key of keys) {
      if (!this.#find(key, false)) {
        counters[COUNTER.misses]++;
        break;
      }
      counters[COUNTER.hits]++;
      const { slot, hash, policyWord } = this.#reading;
      this.#attachment.shardOf(hash).policy.hit(slot, hash, policyWord);
      length++;
    }
    return length;
  }

  /**
   * The value under the key; for a missing key `loader` runs once over all threads and every caller gets its result. Never
   * blocks. If the loader throws, its thread's callers get the error and another waiting thread loads; if its thread dies,
   * another takes over. A put or delete meanwhile is not undone: whichever writes last stays. Rejects with
   * ERR_RECURSIVE_LOAD where loaders would wait for each other or themselves.
   */
  async getOrSet(
    key: string,
    loader: (key: string) => V | Promise<V>,
    options: AsyncLoadOptions = NO_OPTIONS,
  ): Promise<V> {
    checkLoad(loader, options);
    const hit = this.get(key);
    if (hit === undefined) return this.#timedLoad(() => this.#flight.load(key, loader, options));
    if (this.#wasStale(options)) this.#flight.refresh(key, loader, options);
    return hit;
  }

  /** As getOrSet, with a loader that returns its value; waits for other threads with Atomics.wait. Throws what it throws. */
  getOrSetSync(key: string, compute: (key: string) => V, options: LoadOptions = NO_OPTIONS): V {
    checkLoad(compute, options);
    const hit = this.get(key);
    if (hit !== undefined && !this.#wasStale(options)) return hit;
    const ended = this.#timing?.load();
    let loaded = false;
    try {
      const value =
        hit === undefined
          ? this.#flight.loadSync(key, compute, options)
          : this.#flight.refreshSync(key, compute, options, hit);
      loaded = true;
      return value;
    } finally {
      ended?.(loaded);
    }
  }

  /** ms until the key expires, Infinity when it never does, undefined when it is absent. */
  expiresIn(key: string): number | undefined {
    if (!this.#find(key, false)) return undefined;
    return Math.max(0, this.#reading.expiresAt - this.#attachment.clock.now());
  }

  /** Gives a live key a new TTL in ms without rewriting its value; false when it is absent. */
  touch(key: string, ttl: number = this.#defaultTtl): boolean {
    checkTtl(ttl);
    const { clock, shard } = this.#locate(key);
    const expiresAt = clock.now() + ttl;
    return this.#locked(shard, false, () => touchLocked(shard, this.#attachment.key, expiresAt, clock));
  }

  /** Removes every expired entry now and returns how many there were. */
  cleanupExpired(): number {
    const { shards, clock } = this.#open();
    const now = clock.now();
    return shards.reduce((removed, shard) => removed + sweepPages(shard, 0, shard.heap.usedPages, now), 0);
  }

  /** Removes everything. */
  clear(): void {
    for (const shard of this.#open().shards) this.#locked(shard, undefined, () => clearLocked(shard));
  }

  /** Live keys; weakly consistent, as all iterators here: entries that come or go meanwhile may be seen or not. */
  *keys(): Generator<string> {
    const { shards, clock } = this.#open();
    for (const shard of shards) yield* eachEntry(shard, new Reading(), false, clock);
  }

  /** Live values, as `keys`. */
  *values(): Generator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  /** Live keys with their values, as `keys`. */
  *entries(): Generator<[string, V]> {
    const { shards, clock } = this.#open();
    const reading = new Reading();
    for (const shard of shards) {
      for (const key of eachEntry(shard, reading, true, clock)) yield [key, this.#reader.value(reading) as V];
    }
  }

  /** As entries, for `for ... of`. */
  [Symbol.iterator](): Generator<[string, V]> {
    return this.entries();
  }

  /** Totals over all threads, those that have ended included. */
  getStats(): CacheStats {
    return collectStats(this.#open());
  }

  /** Walks the whole structure, one locked shard at a time, for tests and bug reports. */
  inspect(): Inspection {
    return inspectCache(this.#open());
  }

  /** Detaches; the creator's close also stops the sweeper. Other threads go on. Closing twice is allowed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    collected.unregister(this);
    detach({ attachment: this.#attachment, sweeper: this.#sweeper });
    this.monitor?.close();
  }

  /** As close, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #open(): Attachment {
    if (this.#closed)
      throw new SharedCacheError(
        'ERR_CLOSED',
        'this cache was closed in this thread; SharedCache.attach(handle) opens it again',
      );
    return this.#attachment;
  }

  #ttl(options: PutOptions | undefined): number {
    return ttlOf(options, this.#defaultTtl);
  }

  async #timedLoad(load: () => Promise<V>): Promise<V> {
    const ended = this.#timing?.load();
    let loaded = false;
    try {
      const value = await load();
      loaded = true;
      return value;
    } finally {
      ended?.(loaded);
    }
  }

  #createFlight(): Flight<V> {
    const { arena, key, counters, lockContext } = this.#attachment;
    const target: FlightTarget<V> = {
      words: arena.words,
      key,
      counters,
      peekFresh: (name, staleTtl) => {
        const value = this.peek(name);
        return value !== undefined && this.#isStale(this.#reading.expiresAt, staleTtl) ? undefined : value;
      },
      store: (name, value, { ttl = this.#defaultTtl, staleTtl = 0 }) => {
        this.put(name, value, { ttl: ttl + staleTtl });
      },
    };
    return new Flight(target, new Leases(arena.words, lockContext));
  }

  /** Whether what `get` has just found is past its TTL. */
  #wasStale({ staleTtl = 0 }: LoadOptions): boolean {
    if (staleTtl === 0) return false;
    return this.#isStale(this.#lastExpiresAt, staleTtl);
  }

  #isStale(expiresAt: number, staleTtl: number): boolean {
    return staleTtl > 0 && this.#attachment.clock.hasExpired(expiresAt - staleTtl);
  }

  #locate(key: string): { counters: Float64Array; clock: Attachment['clock']; shard: Shard } {
    const { key: encoder, counters, clock } = this.#open();
    encoder.encode(key);
    return { counters, clock, shard: this.#attachment.shardOf(encoder.hash) };
  }

  #find(key: string, withValue: boolean): boolean {
    const { key: encoder, clock } = this.#open();
    encoder.encode(key);
    const shard = this.#attachment.shardOf(encoder.hash);
    return read(shard, encoder, this.#reading, withValue) === 'found' && !clock.hasExpired(this.#reading.expiresAt);
  }

  /** The entry's slot; NO_SLOT when it could not be stored, GONE when it was over at once. */
  #putLocked(shard: Shard, ttl: number, expiresAt: number): number {
    const { key, counters, clock } = this.#attachment;
    counters[COUNTER.puts]++;
    if (!fits(shard, key, this.#value, this.#maxEntryBytes)) return refuseLocked(shard, key);
    if (ttl === 0) {
      removeLocked(shard, key, clock);
      return GONE;
    }
    return putLocked(shard, key, this.#value, expiresAt, clock);
  }

  #locked<T>(shard: Shard, unavailable: T, body: () => T): T {
    if (!shard.lock()) return unavailable;
    let completed = false;
    try {
      const result = body();
      completed = true;
      return result;
    } finally {
      shard.unlock(completed);
    }
  }
}

/** What a cache holds beyond its own memory. */
interface Resources {
  attachment: Attachment;
  sweeper: SweeperControl | undefined;
}

function detach({ attachment, sweeper }: Resources): void {
  sweeper?.stop();
  attachment.release();
}

/** A cache that is dropped without close() still gives back its place and its sweep. */
const collected = new FinalizationRegistry<Resources>(detach);

function createArena(resolved: ReturnType<typeof resolveOptions>): Arena {
  const policy = policies[resolved.eviction];
  const sizing = planSizes({ ...resolved, policyShardWords: policy.shardWords, policyGlobalWords: policy.globalWords });
  return Arena.create(sizing, {
    evictionId: EVICTION_NAMES.indexOf(resolved.eviction),
    flags: resolved.codec === undefined ? 0 : FLAG_CUSTOM_CODEC,
    defaultTtl: resolved.ttl,
    maxBytes: resolved.maxBytes,
    maxEntries: resolved.maxEntries,
    lockTimeoutMs: resolved.lockTimeoutMs,
  });
}
