import { isMainThread } from 'node:worker_threads';
import type { KeyEncoder } from '../codec/key.js';
import type { Duration } from '../duration.js';
import { describe, SharedCacheError } from '../errors.js';
import { COUNTER } from '../memory/layout.js';
import { clearTimeout, monotonicMs, setTimeout } from '../sync/monotonic.js';
import { type Chain, currentLoad, currentLoads, newChain, runCompute, runLoader } from './chain.js';
import type { Claim, Leases } from './leases.js';
import { type KeyId, type NotedWait, Waits } from './waits.js';

/** Longest wait for any lease to come free: were all held by loads that wait for one, none ever would. */
const FULL_WAIT_MS = 1_000;
/** Longer than any wait it goes with. */
const HOLD_MS = 60_000;
/** Longest sleep between two looks at whether the loading thread still lives. */
const SLICE_MS = 25;

/** Settings of getOrSetSync. */
export interface LoadOptions {
  /** TTL of a loaded value: ms, or a string such as `'5m'`; default the cache's. */
  ttl?: Duration | undefined;
  /** ms after its TTL in which a value is still served, to `get` as well, while one thread refreshes it. Default 0. */
  staleTtl?: number | undefined;
  /** Longest wait for another thread's load, in ms; then the caller loads itself. Default: as long as that thread lives. */
  timeoutMs?: number | undefined;
}

/** Settings of getOrSet. */
export interface AsyncLoadOptions extends LoadOptions {
  /** Aborts this caller's wait; the load goes on for the others. */
  signal?: AbortSignal | undefined;
}

/** What a flight needs of the cache it belongs to. */
export interface FlightTarget<V> {
  /** The same array for all flights that this thread has in the cache. */
  readonly words: Int32Array;
  readonly key: KeyEncoder;
  /** Encodes a key of the flight's keyspace into `key`. */
  encode(key: string): void;
  readonly counters: Float64Array;
  /** Peeks in a way that a value within `staleTtl` of its expiry counts as absent. */
  peekFresh(key: string, staleTtl: number): V | undefined;
  store(key: string, value: V, options: LoadOptions): void;
}

interface Pending<V> {
  promise: Promise<V>;
  /** Of loaders that wait for this load. */
  readonly waits: NotedWait[];
}

/** Where a load belongs. */
interface Place {
  /** What it is part of. */
  readonly outer: Chain | undefined;
  readonly alone: boolean;
  /** Of loaders that wait for it. */
  readonly waits: NotedWait[];
}

/** One caller's wait for somebody else's load. */
interface Wait {
  /** When to stop waiting for a busy lease, and for a free one; monotonicMs(). */
  loadAt: number;
  loadIfFullAt: number;
  counted: boolean;
}

/**
 * Single flight: of all callers that miss a key, on all threads, one loads and the others get its result.
 *
 * In a thread, callers share a promise. Across threads a lease names the loader; the others sleep on the lease's ticket,
 * wake at its release or look every 25 ms whether its owner still lives, and then look for the value again. One that finds
 * neither value nor loader becomes the loader, which covers a failed load, a dead thread, and a value the cache refused.
 */
export class Flight<V> {
  readonly #target: FlightTarget<V>;
  readonly #leases: Leases;
  readonly #waits: Waits;
  readonly #pending = new Map<string, Pending<V>>();

  constructor(target: FlightTarget<V>, leases: Leases) {
    this.#target = target;
    this.#leases = leases;
    this.#waits = new Waits(target.words, leases.context, leases);
  }

  loadSync(key: string, compute: (key: string) => V, options: LoadOptions): V {
    const noted = this.#noteWait(key);
    if (noted === 'alone') return this.#runSync(key, compute, options, NO_LEASE, true);
    try {
      return this.#waitOrRunSync(key, compute, options);
    } finally {
      noted?.end();
    }
  }

  load(key: string, loader: (key: string) => V | Promise<V>, options: AsyncLoadOptions): Promise<V> {
    const { signal } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const noted = this.#noteWait(key);
    if (noted === 'alone') {
      return this.#run(key, loader, options, NO_LEASE, { outer: currentLoad(), alone: true, waits: [] });
    }
    let pending = this.#pending.get(key);
    if (pending === undefined) {
      pending = this.#start(key, loader, options, noted);
    } else {
      this.#target.counters[COUNTER.waits]++;
      if (noted !== undefined) pending.waits.push(noted);
    }
    return signal === undefined ? pending.promise : abortable(pending.promise, signal, noted);
  }

  /** Computes the value anew, or gives the stale one while somebody else does. A failure leaves the stale value. */
  refreshSync(key: string, compute: (key: string) => V, options: LoadOptions, stale: V): V {
    for (const { key: loading } of currentLoads(this.#target.words)) if (loading === key) return stale;
    const claim = this.#claim(key);
    return claim.kind === 'owned' ? this.#runSync(key, compute, options, claim, false) : stale;
  }

  /** Refreshes in the background unless somebody does already; a failure leaves the stale value. */
  refresh(key: string, loader: (key: string) => V | Promise<V>, options: LoadOptions): void {
    if (this.#pending.has(key)) return;
    const claim = this.#claim(key);
    if (claim.kind !== 'owned') return;
    const waits: NotedWait[] = [];
    // Whoever asked is not waiting for it: not part of any other load.
    const promise = this.#run(key, loader, options, claim, { outer: undefined, alone: false, waits });
    this.#pending.set(key, { promise, waits });
    const forget = (): void => {
      this.#pending.delete(key);
    };
    promise.then(forget, forget);
  }

  #start(
    key: string,
    loader: (key: string) => V | Promise<V>,
    options: LoadOptions,
    noted: NotedWait | undefined,
  ): Pending<V> {
    const waits = noted === undefined ? [] : [noted];
    const place: Place = { outer: currentLoad(), alone: false, waits };
    const promise = this.#waitOrRun(key, loader, options, place).finally(() => {
      this.#pending.delete(key);
      endAll(waits);
    });
    const pending: Pending<V> = { promise, waits };
    this.#pending.set(key, pending);
    return pending;
  }

  async #waitOrRun(
    key: string,
    loader: (key: string) => V | Promise<V>,
    options: LoadOptions,
    place: Place,
  ): Promise<V> {
    const wait = this.#newWait(options);
    for (;;) {
      const claim = this.#claim(key);
      if (!this.#mustWait(wait, claim)) return this.#run(key, loader, options, claim, place);
      const ticket = Atomics.waitAsync(this.#target.words, this.#leases.ticketWord(claim), claim.ticket, SLICE_MS);
      // A pending waitAsync alone lets a thread end. The process may; a worker that awaits another's load must not vanish.
      const hold = isMainThread ? undefined : setTimeout(() => {}, HOLD_MS);
      if (ticket.async) await ticket.value;
      clearTimeout(hold);
      const loaded = this.#target.peekFresh(key, options.staleTtl ?? 0);
      if (loaded !== undefined) return loaded;
    }
  }

  #waitOrRunSync(key: string, compute: (key: string) => V, options: LoadOptions): V {
    const { words } = this.#target;
    const { owner, registry } = this.#leases.context;
    const wait = this.#newWait(options);
    for (;;) {
      const claim = this.#claim(key);
      // This thread's own asynchronous load cannot go on while it waits: computing is the only way.
      if (!this.#mustWait(wait, claim)) return this.#runSync(key, compute, options, claim, false);
      const id = this.#idOf(key);
      registry.block(owner, id.hash, id.identity);
      const outcome = Atomics.wait(words, this.#leases.ticketWord(claim), claim.ticket, SLICE_MS);
      // The same when another thread's load waits for one of this thread's.
      const needed = outcome === 'timed-out' && this.#waits.needsThisThread(id);
      registry.unblock(owner);
      const loaded = this.#target.peekFresh(key, options.staleTtl ?? 0);
      if (loaded !== undefined) return loaded;
      if (needed) return this.#runSync(key, compute, options, NO_LEASE, false);
    }
  }

  #newWait(options: LoadOptions): Wait {
    const now = monotonicMs();
    return {
      loadAt: now + (options.timeoutMs ?? Number.POSITIVE_INFINITY),
      loadIfFullAt: now + FULL_WAIT_MS,
      counted: false,
    };
  }

  /** Whether to wait once more for what the claim found, and counts a caller that waits. */
  #mustWait(wait: Wait, claim: Claim): claim is Extract<Claim, { ticket: number }> {
    if (claim.kind !== 'busy' && claim.kind !== 'full') return false;
    const now = monotonicMs();
    if (now >= wait.loadAt || (claim.kind === 'full' && now >= wait.loadIfFullAt)) return false;
    if (!wait.counted) this.#target.counters[COUNTER.waits]++;
    wait.counted = true;
    return true;
  }

  #runSync(key: string, compute: (key: string) => V, options: LoadOptions, claim: Claim, alone: boolean): V {
    try {
      const value = this.#target.peekFresh(key, options.staleTtl ?? 0);
      if (value !== undefined) return value;
      this.#countLoad(claim);
      const computed = runCompute(newChain(this.#target.words, key, currentLoad(), alone), compute);
      this.#target.store(key, computed, options);
      return computed;
    } finally {
      if (claim.kind === 'owned') this.#leases.release(claim.lease);
    }
  }

  async #run(
    key: string,
    loader: (key: string) => V | Promise<V>,
    options: LoadOptions,
    claim: Claim,
    { outer, alone, waits }: Place,
  ): Promise<V> {
    try {
      const value = this.#target.peekFresh(key, options.staleTtl ?? 0);
      if (value !== undefined) return value;
      this.#countLoad(claim);
      const loaded = await runLoader(newChain(this.#target.words, key, outer, alone), loader);
      this.#target.store(key, loaded, options);
      return loaded;
    } finally {
      // Before the lease is free: the next thread to load the key must not find that it is still waited for here.
      endAll(waits);
      if (claim.kind === 'owned') this.#leases.release(claim.lease);
    }
  }

  #countLoad(claim: Claim): void {
    const { counters } = this.#target;
    counters[COUNTER.loads]++;
    if (claim.kind === 'owned' && claim.takeover) counters[COUNTER.takeovers]++;
  }

  #idOf(name: string): KeyId {
    const { key } = this.#target;
    this.#target.encode(name);
    return { hash: key.hash, identity: key.secondHash() };
  }

  #claim(key: string): Claim {
    this.#target.encode(key);
    return this.#leases.claim(this.#target.key);
  }

  /**
   * Notes that the loader this call is in, if it is in one, waits for the key. 'alone' when that cannot be noted. Throws
   * ERR_RECURSIVE_LOAD where the key's load waits for this very loader.
   */
  #noteWait(key: string): NotedWait | 'alone' | undefined {
    let innermost: Chain | undefined;
    for (const chain of currentLoads(this.#target.words)) {
      if (chain.key === key) throw recursive(key, 'its own loader asks for it');
      innermost ??= chain;
    }
    if (innermost === undefined) return undefined;
    const noted = innermost.alone ? undefined : this.#waits.note(this.#idOf(innermost.key), this.#idOf(key));
    if (noted === 'circle') throw recursive(key, 'loaders wait for each other in a circle');
    if (noted === undefined) return 'alone';
    innermost.waits.push(noted);
    return noted;
  }
}

/** For a load that nobody else can wait for. */
const NO_LEASE: Claim = { kind: 'full', ticket: 0 };

function endAll(waits: readonly NotedWait[]): void {
  for (const wait of waits) wait.end();
}

function recursive(key: string, why: string): SharedCacheError {
  return new SharedCacheError('ERR_RECURSIVE_LOAD', `loading ${describe(key)} would wait for ever: ${why}`);
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal, noted: NotedWait | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      noted?.end();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
