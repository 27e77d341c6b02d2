import {
  checkStep,
  checkTagList,
  checkTags,
  checkVersion,
  checkWriteOptions,
  listKeys,
  listPairs,
  notCountable,
  type PutOptions,
  ttlOf,
} from './arguments.js';
import { decodeKey, type KeyEncoder } from './codec/key.js';
import { ValueKind } from './codec/kinds.js';
import { decodePlacedKey, keyStart, type PlacedKey } from './codec/placed-key.js';
import { canFreeze, type Encoded } from './codec/value.js';
import type { Duration } from './duration.js';
import { checkFunction, describe, SharedCacheError } from './errors.js';
import { Flight, type Loader, NO_VERSION } from './flight/flight.js';
import { type Loaded, loadedOf } from './flight/loaded.js';
import {
  type AsyncLoadOptions,
  type Load,
  type LoaderContext,
  type LoadOptions,
  resolveLoad,
} from './flight/options.js';
import type { LoadTarget, Settlement } from './flight/target.js';
import { type WrapOptions, wrap } from './flight/wrap.js';
import { COUNTER } from './memory/layout.js';
import { type Session, type Write, writeOf } from './session.js';
import { dump } from './snapshot/dump.js';
import { load } from './snapshot/load.js';
import type { DumpReport, LoadReport, SnapshotOptions } from './snapshot/options.js';
import { monotonicMs } from './sync/monotonic.js';
import { NO_SLOT } from './table/buckets.js';
import type { Draft } from './table/draft.js';
import { type Extras, graceEndOf, lifetimeOf, tagsOf } from './table/extras.js';
import { type Counter, incrementLocked } from './table/increment.js';
import { NOT_NEAR } from './table/near-cache.js';
import { fits, putLocked } from './table/put.js';
import { fateOf, noteStoredLocked, Reading, read } from './table/read.js';
import { reclaimLocked, removeLocked, takeLocked } from './table/remove.js';
import type { Shard } from './table/shard.js';
import { encodeIn, insideStart, isOwnKey, ownBytes, type Space, tagHashes } from './table/space.js';
import type { Table } from './table/table.js';
import { Fate } from './table/tags.js';
import { touchLocked } from './table/touch.js';
import { GROUP, touchAhead } from './table/touch-ahead.js';
import { ABSENT, versionLocked } from './table/version.js';
import { eachEntry } from './table/walk.js';

/** What is known of an entry besides its value. */
export interface Entry<V> {
  /** The caller's own copy, or frozen. */
  value: V;
  /** ms until it expires; Infinity when it never does. */
  expiresIn: number;
  /** A whole number below 2^53 that no other write of the key has, before or after: for `putIfVersion`. */
  version: number;
  /** The tags it was put with. */
  tags: string[];
}

/** What `incrementEntry` tells of a counter. */
export interface CounterEntry {
  /** The sum. */
  value: number;
  /** ms until it expires; Infinity when it never does. */
  expiresIn: number;
}

/** What a load gives besides its value. */
interface ToStore {
  readonly isBeside: boolean;
  /** Whether the load was not overtaken; asked under the lock. */
  isCurrent(): boolean;
  /** The value as all callers of this thread get it, in a cache of frozen values. */
  readonly frozen: unknown;
}

/**
 * Keys and what can be done with them: what a cache and its namespaces have in common.
 *
 * A put that has returned is seen by every get that starts afterwards, on any thread. Values are copied in and out; in a
 * cache of frozen values the thread's one frozen object comes out.
 * Keys are strings of at most 64 KiB in UTF-8; values whatever `structuredClone` keeps. Times are in ms, sizes in bytes.
 * Methods throw SharedCacheError only, before anything has changed: ERR_INVALID_KEY, ERR_INVALID_VALUE, ERR_INVALID_TTL,
 * ERR_INVALID_OPTION, ERR_INVALID_ARGUMENT, and ERR_CLOSED after close(). What there is besides is said at each method.
 * What the caller's own code throws (getters, codecs, callbacks, loaders) comes through unchanged.
 *
 * (A file longer than its neighbours because it is the whole surface; what a method does is in `table/`.)
 *
 * @typeParam V - The values. Nothing checks at run time what another thread has put.
 */
export abstract class Keyspace<V = unknown> {
  /** @internal */
  protected readonly session: Session;
  /** @internal */
  protected readonly space: Space;
  readonly #flight: Flight;
  readonly #target: LoadTarget;
  readonly #counter: Counter = { value: 0, expiresAt: 0 };
  /** When what the last get found expires. */
  #lastExpiresAt = Number.POSITIVE_INFINITY;

  /** @internal */
  constructor(session: Session, space: Space) {
    this.session = session;
    this.space = space;
    this.#flight = Flight.of(session.open());
    this.#target = this.#createTarget();
  }

  /** Whether close() was called here. */
  get closed(): boolean {
    return this.session.closed;
  }

  /**
   * Largest key + value, in encoded bytes, that can be stored. A namespace's is smaller by what its names take; tags and what
   * `grace` and `refreshAhead` note take some of it.
   */
  get maxEntryBytes(): number {
    return Math.max(0, this.session.maxEntryBytes - ownBytes(this.space));
  }

  // ---- one key -------------------------------------------------------------------------------------------------

  /**
   * Stores the value under the key, replacing what was there. False when the entry is larger than `maxEntryBytes` (the key
   * is then absent, nothing was evicted for it) or when the lock could not be had (nothing has changed).
   */
  put(key: string, value: V, options?: PutOptions): boolean {
    const { timing } = this.session;
    const due = timing === undefined ? 0 : timing.due();
    if (due === 0) return this.#put(key, value, options);
    const { key: encoder } = this.session.open();
    const start = monotonicMs();
    const stored = this.#put(key, value, options);
    timing?.recordPut(start, stored, this.session.value.lengthBytes, due);
    this.#noteKey(key, encoder, false);
    return stored;
  }

  /** The same as `put`. */
  set(key: string, value: V, options?: PutOptions): boolean {
    return this.put(key, value, options);
  }

  #put(key: string, value: V, options?: PutOptions): boolean {
    const write = this.#readOptions(options);
    this.session.value.encode(value);
    return this.#store(key, value, this.session.value, write);
  }

  #store(key: string, value: V, encoded: Encoded, write: Write, loaded?: ToStore): boolean {
    const { session } = this;
    const draft = this.#fill(key, encoded, write);
    const table = session.open();
    const shard = table.shardOf(draft.key.hash);
    if (!shard.lock()) return false;
    let completed = false;
    let slot = NO_SLOT;
    try {
      if (loaded === undefined || loaded.isCurrent()) {
        if (loaded === undefined || loaded.isBeside) shard.loads.overtake(draft.key);
        slot = putLocked(shard, draft, session.maxEntryBytes);
      }
      if (slot >= 0) noteStoredLocked(shard, slot, draft, session.reading);
      completed = true;
    } finally {
      shard.unlock(completed);
    }
    if (slot >= 0 && loaded?.frozen !== undefined) {
      session.frozen?.remember(key, shard, this.space.id, session.reading, loaded.frozen);
    } else if (slot >= 0) {
      session.near.wrote(key, shard, this.space.id, session.reading, value);
    }
    return slot !== NO_SLOT;
  }

  /** A copy of the live value (or the frozen one), or undefined. Counts as an access. Throws ERR_CORRUPTED if somebody wrote over the memory. */
  get(key: string): V | undefined {
    const { timing } = this.session;
    const due = timing === undefined ? 0 : timing.due();
    if (due === 0) return this.#get(key);
    const { key: encoder } = this.session.open();
    const start = monotonicMs();
    const value = this.#get(key);
    timing?.recordGet(start, value !== undefined, due);
    this.#noteKey(key, encoder, true);
    return value;
  }

  #get(key: string): V | undefined {
    const { session } = this;
    const { near, frozen, reading } = session;
    const table = session.begin();
    const { counters, clock } = table;
    const shard = this.#locate(table, key);
    const place = near.find(key, table.key.hash, shard, this.space.id);
    if (place !== NOT_NEAR && !clock.hasExpired(near.expiresAt(place))) {
      counters[COUNTER.hits]++;
      this.#lastExpiresAt = near.expiresAt(place);
      return near.value(place) as V;
    }
    if (!this.#readLive(table, shard, true)) {
      counters[COUNTER.misses]++;
      return undefined;
    }
    counters[COUNTER.hits]++;
    shard.policy.hit(reading.slot, reading.hash, reading.policyWord);
    const { kind, expiresAt } = reading;
    const value = this.#value(key);
    // A codec may have used this cache meanwhile, and with it the one reading.
    if (frozen === undefined && kind !== ValueKind.custom) near.remember(key, shard, this.space.id, reading, value);
    this.#lastExpiresAt = expiresAt;
    return value;
  }

  /** As get, but leaves recency and hit counts alone. */
  peek(key: string): V | undefined {
    return this.#find(key, true) ? this.#value(key) : undefined;
  }

  /** Whether the key is live; leaves recency and hit counts alone. */
  has(key: string): boolean {
    return this.#find(key, false);
  }

  /** The value with its expiry, version and tags, or undefined; leaves recency and hit counts alone. */
  entry(key: string): Entry<V> | undefined {
    const { session } = this;
    const { reading } = session;
    if (!this.#find(key, true)) return undefined;
    const { version, expiresAt } = reading;
    const tags = reading.isExtended ? tagsOf(reading.extras.words) : [];
    const expiresIn = session.open().clock.until(expiresAt);
    return { value: this.#value(key), expiresIn, version, tags };
  }

  /** Removes the key; true if a live entry was removed. */
  delete(key: string): boolean {
    const { session } = this;
    const { timing } = session;
    const table = session.begin();
    const shard = this.#locate(table, key);
    const due = timing === undefined ? 0 : timing.due();
    const start = due === 0 ? 0 : monotonicMs();
    const removed = shard.locked(false, () => {
      shard.loads.overtake(table.key);
      return removeLocked(shard, table.key);
    });
    if (due !== 0) {
      timing?.recordDelete(start, due);
      this.#noteKey(key, table.key, false);
    }
    return removed;
  }

  /** The live value, removed in the same step: of any number of threads exactly one gets it. Counts as a get. */
  take(key: string): V | undefined {
    const { session } = this;
    const table = session.begin();
    const shard = this.#locate(table, key);
    const taken = shard.locked(false, () => {
      shard.loads.overtake(table.key);
      return takeLocked(shard, table.key, session.reading);
    });
    table.counters[taken ? COUNTER.hits : COUNTER.misses]++;
    return taken ? (session.reader.value(session.reading) as V) : undefined;
  }

  /** Stores the value if the key is absent: of any number of racing threads, exactly one gets true. */
  putIfAbsent(key: string, value: V, options?: PutOptions): boolean {
    const { session } = this;
    const draft = this.#draft(key, value, this.#readOptions(options));
    const table = session.open();
    const shard = table.shardOf(draft.key.hash);
    // Most calls find the key there, which needs no lock.
    if (this.#readLive(table, shard, false)) return false;
    return this.#storeIf(draft, ABSENT) === true;
  }

  /**
   * Stores the value if the key's entry is the one that had this version, as `entry()` gave it: nobody has written the key
   * since. False changes nothing, also for a value that is too large.
   */
  putIfVersion(key: string, value: V, version: number, options?: PutOptions): boolean {
    checkVersion(version);
    const draft = this.#draft(key, value, this.#readOptions(options));
    if (version === ABSENT || !fits(draft, this.session.maxEntryBytes)) return false;
    return this.#storeIf(draft, version) === true;
  }

  /**
   * Atomic read-modify-write: stores what `change` returns for the current value; undefined deletes. `change` runs without a
   * lock, and again when another thread was quicker. Returns what was stored, as a get would give it; undefined too when it
   * could not be stored. Throws ERR_LOCK_TIMEOUT when it loses every race for the whole lock timeout, as it must if
   * `change` writes the key.
   */
  update(key: string, change: (current: V | undefined) => V | undefined, options?: PutOptions): V | undefined {
    checkFunction('the change', change);
    const write = this.#readOptions(options);
    const { session } = this;
    const { reading } = session;
    let firstLoss = 0;
    for (;;) {
      const found = this.#find(key, true);
      const before = found ? reading.version : ABSENT;
      const next = change(found ? this.#value(key) : undefined);
      const stored =
        next === undefined ? this.#removeIf(key, before) : this.#storeIf(this.#draft(key, next, write), before);
      if (stored !== undefined) return stored && next !== undefined ? session.copyOf(next) : undefined;
      const { lockTimeoutMs } = session.open().lockContext;
      if (firstLoss === 0) firstLoss = monotonicMs();
      if (monotonicMs() - firstLoss > lockTimeoutMs) {
        throw new SharedCacheError(
          'ERR_LOCK_TIMEOUT',
          `the update of ${describe(key)} lost every race for ${lockTimeoutMs} ms: its callback must not write the key, other threads only less often`,
        );
      }
    }
  }

  /** Whether it was stored; undefined when the key's version is another. */
  #storeIf(draft: Draft, version: number): boolean | undefined {
    const { session } = this;
    const shard = session.open().shardOf(draft.key.hash);
    return shard.locked<boolean | undefined>(undefined, () => {
      if (versionLocked(shard, draft.key) !== version) return undefined;
      shard.loads.overtake(draft.key);
      return putLocked(shard, draft, session.maxEntryBytes) !== NO_SLOT;
    });
  }

  #removeIf(key: string, version: number): boolean | undefined {
    const table = this.session.open();
    const shard = this.#locate(table, key);
    return shard.locked<boolean | undefined>(undefined, () => {
      if (versionLocked(shard, table.key) !== version) return undefined;
      shard.loads.overtake(table.key);
      return removeLocked(shard, table.key);
    });
  }

  /**
   * Adds `by` to the number under the key and returns the sum; an absent key counts as 0 and gets the TTL and the tags, a
   * present one keeps its own. Throws ERR_INVALID_VALUE when the entry is not a number or the sum would not be one,
   * ERR_LOCK_TIMEOUT when the lock could not be had.
   */
  increment(key: string, by = 1, options?: PutOptions): number {
    this.#increment(key, by, options);
    return this.#counter.value;
  }

  /** As increment, with the ms until the counter expires: all that a rate limiter needs, in one atomic step. */
  incrementEntry(key: string, by = 1, options?: PutOptions): CounterEntry {
    const table = this.#increment(key, by, options);
    const { value, expiresAt } = this.#counter;
    return { value, expiresIn: table.clock.until(expiresAt) };
  }

  #increment(key: string, by: number, options: PutOptions | undefined): Table {
    checkStep(by);
    const { session } = this;
    const draft = this.#draft(key, by as V, this.#readOptions(options));
    const table = session.open();
    const shard = table.shardOf(draft.key.hash);
    const outcome = shard.locked('unavailable' as const, () => {
      shard.loads.overtake(draft.key);
      return incrementLocked(shard, draft, by, session.maxEntryBytes, this.#counter);
    });
    if (outcome === 'added') return table;
    if (outcome === 'unavailable') {
      throw new SharedCacheError(
        'ERR_LOCK_TIMEOUT',
        `another thread kept ${describe(key)} locked for ${table.lockContext.lockTimeoutMs} ms`,
      );
    }
    throw notCountable(key, by, outcome);
  }

  /** ms until the key expires, Infinity when it never does, undefined when it is absent. */
  expiresIn(key: string): number | undefined {
    if (!this.#find(key, false)) return undefined;
    return this.session.open().clock.until(this.session.reading.expiresAt);
  }

  /**
   * Gives a live key a new TTL without rewriting its value; false when it is absent. With `tags`, the entry has these
   * instead of its own; false, and nothing has changed, when it would be larger than `maxEntryBytes` with them.
   */
  touch(key: string, ttl?: Duration | undefined, options?: Pick<PutOptions, 'tags'>): boolean {
    const { session } = this;
    const ms = ttlOf(ttl, session.defaultTtl);
    if (options !== undefined) {
      checkWriteOptions(options);
      const { tags } = options;
      // What is over at once needs no tags.
      const list = tags === undefined ? undefined : checkTags(tags);
      if (list !== undefined && ms > 0) return this.#retag(key, ms, list);
    }
    const table = session.begin();
    const shard = this.#locate(table, key);
    const expiresAt = table.clock.expiryAfter(ms);
    return shard.locked(false, () => touchLocked(shard, table.key, expiresAt, ms));
  }

  /** A touch that has to write the entry anew, with the same bytes and a grace period as long as it had. */
  #retag(key: string, ttl: number, tags: readonly string[]): boolean {
    const { session } = this;
    for (;;) {
      if (!this.#find(key, true)) return false;
      const { version, expiresAt, isExtended, extras } = session.reading;
      const grace = isExtended ? Math.max(0, graceEndOf(extras.words) - expiresAt) : 0;
      const { value, encoded } = this.#loaded();
      if (encoded === undefined) session.value.encode(value);
      const draft = this.#fill(key, encoded ?? session.value, { ...writeOf(ttl, tags), grace });
      if (!fits(draft, session.maxEntryBytes)) return false;
      draft.isQuiet = true;
      const table = session.open();
      const shard = table.shardOf(draft.key.hash);
      const done = shard.locked<boolean | undefined>(false, () =>
        versionLocked(shard, draft.key) === version ? putLocked(shard, draft, session.maxEntryBytes) >= 0 : undefined,
      );
      if (done !== undefined) return done;
    }
  }

  // ---- many keys -----------------------------------------------------------------------------------------------

  /** What get returns for each key, in order. */
  getMany(keys: readonly string[]): (V | undefined)[] {
    const list = this.#checkKeys(keys);
    const values = list.map((): V | undefined => undefined);
    for (let from = 0; from < list.length; from += GROUP) this.#getGroup(list, from, values);
    return values;
  }

  /** The memory of a group of keys is fetched ahead if most of the last group were not near: else it would cost more than it saves. */
  #getGroup(keys: readonly string[], from: number, values: (V | undefined)[]): void {
    const { session } = this;
    const end = Math.min(from + GROUP, keys.length);
    if (session.isFar) touchAhead(session.open(), this.space, keys, from, end);
    const before = session.tableReads;
    for (let i = from; i < end; i++) values[i] = this.get(keys[i]);
    session.isFar = session.tableReads - before > (end - from) / 2;
  }

  /** What has returns for each key, in order. */
  hasMany(keys: readonly string[]): boolean[] {
    return this.#checkKeys(keys).map((key) => this.has(key));
  }

  /** Removes the keys, and returns how many live entries were removed. */
  deleteMany(keys: readonly string[]): number {
    return this.#checkKeys(keys).reduce((removed, key) => removed + (this.delete(key) ? 1 : 0), 0);
  }

  /** Stores all entries, and returns how many were stored. All keys are checked before the first is stored. */
  putMany(entries: Iterable<readonly [string, V]>, options?: PutOptions): number {
    const write = this.#readOptions(options);
    const list = listPairs(entries);
    this.#checkKeys(list.map(([key]) => key));
    const { value: encoder } = this.session;
    // Each value is encoded once, and all before the first is stored; what is encoded is kept until its turn.
    const encoded = list.map(([, value]) => {
      encoder.encode(value);
      return encoder.snapshot();
    });
    return list.reduce((stored, [key, value], i) => stored + (this.#store(key, value, encoded[i], write) ? 1 : 0), 0);
  }

  /** Length of the leading run of keys that are present: an access of each, and one miss for the key that ended the run. */
  longestPrefix(keys: readonly string[]): number {
    const list = this.#checkKeys(keys);
    const { counters } = this.session.open();
    let length = 0;
    for (const key of list) {
      if (!this.#find(key, false)) {
        counters[COUNTER.misses]++;
        break;
      }
      counters[COUNTER.hits]++;
      const { slot, hash, policyWord } = this.session.reading;
      this.session.open().shardOf(hash).policy.hit(slot, hash, policyWord);
      length++;
    }
    return length;
  }

  // ---- loading -------------------------------------------------------------------------------------------------

  /**
   * The value under the key; for a missing key `loader` runs once over all threads and every caller gets a copy of its
   * result, as a get would give it. Never blocks. If the loader throws, its thread's callers get the error (or the old
   * value, with `grace`) and another waiting thread loads; if its thread dies or stands still, another takes over. What was
   * loaded while its key was written or invalidated is handed out and not stored. Rejects with ERR_RECURSIVE_LOAD where
   * loaders would wait for each other or themselves.
   */
  async getOrSet(
    key: string,
    loader: (key: string, context: LoaderContext<V>) => V | Promise<V>,
    options?: AsyncLoadOptions,
  ): Promise<V> {
    const load = resolveLoad(loader, options, this.session.defaultLoad);
    const target = this.#target;
    const run = loader as Loader;
    const hit = load.force ? undefined : this.get(key);
    if (hit !== undefined) {
      const due = this.#isDue(key, load);
      if (due !== undefined) this.#flight.refresh(target, key, run, load, due);
      return hit;
    }
    const than = load.force ? target.versionOf(key) : undefined;
    return this.#timed(async () => target.copyOf(await this.#flight.load(target, key, run, load, than)) as V);
  }

  /** @internal How the library's own loaders load: for `loadOwn`. */
  ownLoad(load: Partial<Load>): Load {
    return { ...this.session.defaultLoad, ...load, isOwn: true };
  }

  /** @internal A load of the library's own, of a key that is not here. Undefined when the loader found nothing. */
  async loadOwn(key: string, loader: Loader, load: Load): Promise<V | undefined> {
    const target = this.#target;
    return target.copyOf(await this.#flight.load(target, key, loader, load)) as V | undefined;
  }

  /**
   * @internal A write of the library's own, whose result becomes the key's value, whatever else goes on for the key. False when it
   * does not, since it was overtaken: what the key has then may be older.
   */
  async writeOwn(key: string, write: Loader, load: Partial<Load>): Promise<boolean> {
    const given: Load = { ...this.ownLoad(load), isWrite: true };
    return (await this.#flight.load(this.#target, key, write, given)).isStored;
  }

  /** As getOrSet, with a loader that returns its value; waits for other threads with Atomics.wait. Throws what it throws. */
  getOrSetSync<T extends V>(
    key: string,
    compute: ((key: string, context: LoaderContext<V>) => T) & Synchronous<T>,
    options?: LoadOptions,
  ): V {
    const load = resolveLoad(compute, options, this.session.defaultLoad);
    const target = this.#target;
    const run = compute as Loader;
    const hit = load.force ? undefined : this.get(key);
    if (hit !== undefined) {
      const due = this.#isDue(key, load);
      return due === undefined ? hit : this.#refreshSync(key, run, load, hit, due);
    }
    const ended = this.session.timing?.load();
    let loaded = false;
    try {
      const value = this.#flight.loadSync(target, key, run, load, load.force ? target.versionOf(key) : undefined);
      loaded = true;
      return target.copyOf(value) as V;
    } finally {
      ended?.(loaded);
    }
  }

  /** `fn` with its results kept over all threads: a call loads by `getOrSet` what no call with that key has loaded before. */
  wrap<A extends readonly unknown[]>(
    fn: (...args: A) => V | Promise<V>,
    options: WrapOptions<A>,
  ): (...args: A) => Promise<V> {
    return wrap(fn, options, this.session.defaultLoad, (...load) => this.getOrSet(...load));
  }

  // ---- all keys ------------------------------------------------------------------------------------------------

  /** Live entries. */
  abstract get size(): number;

  /** Removes everything in it. */
  abstract clear(): void;

  /** Live keys; weakly consistent, as all iterators here: entries that come or go meanwhile may be seen or not. */
  *keys(): Generator<string> {
    for (const { key } of this.#eachOwn(new Reading(), false)) yield key;
  }

  /** Live keys of this keyspace and of all namespaces inside of it, weakly consistent as `keys`. */
  *allKeys(): Generator<PlacedKey> {
    const { session, space } = this;
    const reading = new Reading();
    for (const shard of session.begin().shards) {
      for (const { key, keyBytes } of eachEntry(shard, reading, false)) {
        if (insideStart(space, key, keyBytes) < 0) continue;
        const placed = decodePlacedKey(key, keyBytes);
        yield { key: placed.key, namespaces: placed.namespaces.slice(space.path.length) };
        // Whoever asked may have closed the cache meanwhile.
        session.begin();
      }
    }
  }

  /** Live values, as `keys`. */
  *values(): Generator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  /** Live keys with their values, as `keys`. An entry that cannot be read is left out. */
  *entries(): Generator<[string, V]> {
    const reading = new Reading();
    for (const { key } of this.#eachOwn(reading, true)) {
      let value: V;
      try {
        value = this.session.reader.value(reading) as V;
      } catch (error) {
        // What a codec throws is its own; no entry keeps the others from being seen.
        if (reading.kind === ValueKind.custom) continue;
        if (error instanceof SharedCacheError && error.code === 'ERR_CORRUPTED') continue;
        throw error;
      }
      yield [key, value];
    }
  }

  /** As entries, for `for ... of`. */
  [Symbol.iterator](): Generator<[string, V]> {
    return this.entries();
  }

  /** Calls `visit` with each live value, its key and this object; weakly consistent as `keys`. */
  forEach(visit: (value: V, key: string, cache: this) => void): void {
    checkFunction('the callback', visit);
    for (const [key, value] of this.entries()) visit(value, key, this);
  }

  /** Counts what `keys` would list. */
  protected countOwn(): number {
    let count = 0;
    for (const _ of this.#eachOwn(new Reading(), false)) count++;
    return count;
  }

  *#eachOwn(reading: Reading, withValue: boolean): Generator<{ key: string }> {
    const { session, space } = this;
    for (const shard of session.begin().shards) {
      for (const { key, keyBytes } of eachEntry(shard, reading, withValue)) {
        if (!isOwnKey(space, key, keyBytes)) continue;
        const start = keyStart(key, keyBytes);
        yield { key: decodeKey(key, start, keyBytes - start) };
        // Whoever asked may have closed the cache meanwhile.
        session.begin();
      }
    }
  }

  // ---- tags and namespaces -------------------------------------------------------------------------------------

  /**
   * Ends every entry that was put here with one of the tags before: from the return on, no thread sees one of them. Takes as
   * long as there are tags, whatever the number of entries. A tag that nothing has is no error.
   */
  invalidateTags(tags: string | readonly string[]): void {
    const list = checkTagList(tags);
    const table = this.session.open();
    if (list.length > 0) table.tags.invalidate(tagHashes(this.space, list, table.key));
  }

  // ---- dump and load -------------------------------------------------------------------------------------------

  /**
   * Writes every live entry, those of namespaces inside of this keyspace too, to a file that any other cache can load: of
   * another size, policy or version, on another machine. Tags, expiry and rough recency come along. Other threads go on
   * meanwhile; each entry is as it was at some moment of the dump. Yields to the event loop, and needs some 10 MB of memory
   * and that of the largest entry. The file appears whole, with mode 0600, or not at all; it is compressed if its name ends
   * with `.gz`, or with `.zst` where Node has zstd. Rejects with ERR_WRITE_FAILED, ERR_INVALID_ARGUMENT, ERR_INVALID_OPTION,
   * ERR_UNSUPPORTED_PLATFORM for a `.zst` elsewhere, ERR_CLOSED, or the signal's reason.
   */
  async dump(file: string | URL, options: SnapshotOptions = {}): Promise<DumpReport> {
    return dump(this.session, this.space, file, options);
  }

  /**
   * Stores the entries of a file that `dump` wrote, and leaves what is here already: keys that are present stay as they are,
   * and nothing is evicted to make room. Where there is no room for all, the entries used most recently are loaded. Of a
   * damaged file it loads what is whole and says so. A file is decompressed if its name says that it is compressed. Rejects
   * with ERR_INVALID_FILE, before anything is stored, for a file that cannot be read or is no dump; with ERR_INVALID_OPTION for
   * one whose values need a codec that is not here; and with ERR_INVALID_ARGUMENT, ERR_UNSUPPORTED_PLATFORM, ERR_CLOSED, or
   * the signal's reason.
   */
  async load(file: string | URL, options: SnapshotOptions = {}): Promise<LoadReport> {
    return load(this.session, this.space, file, options);
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  /** What a write is given, read once: options may have getters, which may use this cache. */
  #readOptions(options: PutOptions | undefined): Write {
    const { session } = this;
    session.begin();
    if (options === undefined) return session.defaultWrite;
    checkWriteOptions(options);
    const { ttl, tags } = options;
    return writeOf(ttlOf(ttl, session.defaultTtl), checkTags(tags));
  }

  #draft(key: string, value: V, write: Write): Draft {
    this.session.value.encode(value);
    return this.#fill(key, this.session.value, write);
  }

  /** The thread's draft, ready for the lock. From here on nothing of the user's runs, and the key is encoded last. */
  #fill(key: string, encoded: Encoded, write: Write): Draft {
    const { draft, key: encoder, clock, tags } = this.session.open();
    const expiresAt = clock.expiryAfter(write.ttl);
    let extras: Extras | undefined;
    if (write.tags.length > 0 || this.space.hashes.length > 0 || write.grace > 0 || write.lifetime !== undefined) {
      const lifetime = write.lifetime ?? write.ttl;
      extras = {
        begun: write.begun ?? tags.now(),
        graceEnd: write.grace > 0 && Number.isFinite(expiresAt) ? expiresAt + Math.ceil(write.grace) : 0,
        lifetime: Number.isFinite(lifetime) ? Math.ceil(lifetime) : 0,
        namespaces: this.space.hashes,
        tags: write.tags,
        tagHashes: tagHashes(this.space, write.tags, encoder),
      };
    }
    encodeIn(this.space, key, encoder);
    draft.fill(encoded, expiresAt, write.ttl === 0, extras);
    draft.begunAt = clock.answer;
    return draft;
  }

  #locate(table: Table, key: string): Shard {
    encodeIn(this.space, key, table.key);
    return table.shardOf(table.key.hash);
  }

  /** Whether the key has a live entry, which is then in the session's reading. */
  #find(key: string, withValue: boolean): boolean {
    const table = this.session.begin();
    return this.#readLive(table, this.#locate(table, key), withValue);
  }

  #readLive(table: Table, shard: Shard, withValue: boolean): boolean {
    const { reading } = this.session;
    this.session.tableReads++;
    if (read(shard, table.key, reading, withValue) !== 'found') return false;
    if (reading.isExtended && fateOf(shard, reading) !== Fate.none) {
      // Nobody will ever see it again: it makes room now.
      shard.locked(undefined, () => reclaimLocked(shard, table.key));
      return false;
    }
    return !table.clock.hasExpired(reading.expiresAt);
  }

  /**
   * The value in the session's reading. In a cache of frozen values it is the one that this thread has of it already, or has
   * from now on.
   */
  #value(key: string): V {
    const { frozen, reader, reading } = this.session;
    if (frozen === undefined) return reader.value(reading) as V;
    const { id } = this.space;
    const place = frozen.renew(key, id, reading);
    if (place !== NOT_NEAR) return frozen.value(place) as V;
    const { hash, version } = reading;
    const shard = this.session.open().shardOf(hash);
    const value = reader.value(reading) as V;
    // A codec may have used this cache meanwhile, and with it the one reading.
    const isSame = reading.hash === hash && reading.version === version;
    if (reader.isUnchangeable && isSame) frozen.remember(key, shard, id, reading, value);
    return value;
  }

  /** The keys as a list of their own, each of them one: nothing has been counted or changed before. */
  #checkKeys(keys: readonly string[]): readonly string[] {
    const { key: encoder } = this.session.open();
    const list = listKeys(keys);
    for (const key of list) encoder.check(key);
    return list;
  }

  /**
   * Tells the monitor which key the operation had that was timed. The encoder comes from before it: what a codec or a getter
   * did meanwhile may have closed the cache, or encoded another key.
   */
  #noteKey(key: string, encoder: KeyEncoder, isRead: boolean): void {
    encodeIn(this.space, key, encoder);
    this.session.timing?.noteKey(encoder, isRead);
  }

  /** Records how long the load took, if the monitor wants to know. */
  async #timed(load: () => Promise<V>): Promise<V> {
    const ended = this.session.timing?.load();
    let loaded = false;
    try {
      const value = await load();
      loaded = true;
      return value;
    } finally {
      ended?.(loaded);
    }
  }

  /**
   * Whether what `get` has just found is to be loaded anew, because it is past its TTL or in the last share of it: then the
   * version to be replaced. Of what is past its TTL, any: a fresh one is told by its times.
   */
  #isDue(key: string, { staleTtl, refreshAhead, ttl }: Load): number | undefined {
    if (this.#isStale(this.#lastExpiresAt, staleTtl)) return NO_VERSION;
    if (refreshAhead === 0 || !this.#find(key, false)) return undefined;
    const { isExtended, extras, expiresAt, version } = this.session.reading;
    const lifetime = (isExtended && lifetimeOf(extras.words)) || ttl;
    const left = this.session.open().clock.until(expiresAt) - staleTtl;
    return left <= refreshAhead * lifetime ? version : undefined;
  }

  /** Whether a value that ends then is past its TTL, and only served because it may be stale. */
  #isStale(expiresAt: number, staleTtl: number): boolean {
    return staleTtl > 0 && this.session.open().clock.until(expiresAt) <= staleTtl;
  }

  /** A failure is the caller's only if the value is past its TTL. */
  #refreshSync(key: string, run: Loader, load: Load, hit: V, due: number): V {
    try {
      const loaded = this.#flight.refreshSync(this.#target, key, run, load, due);
      return loaded === undefined ? hit : (this.#target.copyOf(loaded) as V);
    } catch (error) {
      if (due === NO_VERSION) throw error;
      return hit;
    }
  }

  #createTarget(): LoadTarget {
    const { session, space } = this;
    return {
      id: space.id,
      encode: (key) => encodeIn(space, key, session.open().key),
      hashesOf: (tags) =>
        tags.length === 0 ? space.hashes : [...space.hashes, ...tagHashes(space, tags, session.open().key)],
      findFresh: (key, staleTtl, than) => {
        if (!this.#find(key, true) || session.reading.version === than) return undefined;
        const { expiresAt } = session.reading;
        if (this.#isStale(expiresAt, staleTtl)) return undefined;
        return this.#isShared(session.reading.kind) ? loadedOf(this.#value(key), undefined) : this.#loaded();
      },
      findOld: (key, grace) => {
        const table = session.begin();
        const shard = this.#locate(table, key);
        if (read(shard, table.key, session.reading, true) !== 'found') return undefined;
        const isGone = table.clock.hasExpired(session.reading.expiresAt + grace);
        return isGone || fateOf(shard, session.reading) !== Fate.none ? undefined : this.#loaded();
      },
      versionOf: (key) => (this.#find(key, false) ? session.reading.version : ABSENT),
      copyOf: ({ value, encoded }) => (encoded === undefined ? value : session.reader.copyOf(encoded)),
      settle: (key, settlement) => this.#settle(key, settlement),
    };
  }

  /** What the session's reading holds, in memory of its own. */
  #loaded(): Loaded {
    const { isDirect, direct, kind, lengthBytes, copy } = this.session.reading;
    if (isDirect) return loadedOf(direct, undefined);
    const bytes = new Uint8Array(copy.subarray(0, lengthBytes));
    return loadedOf(undefined, { kind, lengthBytes, bytes, offset: 0, words: undefined });
  }

  /** Whether values of this kind are handed out as one frozen object, not as copies. */
  #isShared(kind: number): boolean {
    return this.session.frozen !== undefined && canFreeze(kind);
  }

  #settle(key: string, { value, load, ttl, tags, skipped, begun, isBeside, isCurrent }: Settlement): Loaded {
    const { session } = this;
    session.begin();
    session.value.encode(value);
    const encoded = typeof value === 'object' && value !== null ? session.value.snapshot() : undefined;
    const isShared = encoded !== undefined && this.#isShared(encoded.kind);
    const frozen = isShared ? session.reader.copyOf(encoded) : undefined;
    const table = session.open();
    const hashes = this.#target.hashesOf(tags);
    const isOutdated = table.tags.isDead(hashes, begun);
    let isStored = false;
    if (!skipped) {
      const life = load.jitter === 0 ? ttl : ttl * (1 - load.jitter * Math.random());
      const lifetime = load.refreshAhead > 0 ? life : undefined;
      const write: Write = { ttl: life + load.staleTtl, tags, grace: load.grace, lifetime, begun };
      isStored = this.#store(key, value as V, session.value, write, {
        frozen,
        isBeside,
        isCurrent: () => isCurrent(hashes),
      });
    }
    return isShared
      ? loadedOf(frozen, undefined, isOutdated, isStored)
      : loadedOf(value, encoded, isOutdated, isStored);
  }
}

/** Nothing for a function that returns its value; for one that returns a promise, a type that no function has. */
export type Synchronous<T> = [T] extends [never] ? unknown : T extends PromiseLike<unknown> ? never : unknown;
