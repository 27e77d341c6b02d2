import { AsyncLocalStorage } from 'node:async_hooks';
import { isMainThread } from 'node:worker_threads';
import type { KeyEncoder } from '../codec/key.js';
import { describe, SharedCacheError } from '../errors.js';
import { COUNTER } from '../memory/layout.js';
import type { Claim, Leases } from './leases.js';

/** Longest wait for any lease to come free: were all held by loads that wait for one, none ever would. */
const FULL_WAIT_MS = 1_000;
/** Longer than any wait it goes with. */
const HOLD_MS = 60_000;
/** Longest sleep between two looks at whether the loading thread still lives. */
const SLICE_MS = 25;

export interface LoadOptions {
  /** TTL of a loaded value in ms; default the cache's. */
  ttl?: number;
  /** How long after its TTL a value may still be served while one thread refreshes it, ms; default 0. Until then it is
   *  also visible to `get`. */
  staleTtl?: number;
  /** Longest wait for another thread's load, in ms; then the caller loads itself. Default: as long as that thread lives. */
  timeoutMs?: number;
}

export interface AsyncLoadOptions extends LoadOptions {
  /** Aborts this caller's wait; the load goes on for the others. */
  signal?: AbortSignal;
}

/** What a flight needs of the cache it belongs to. */
export interface FlightTarget<V> {
  readonly words: Int32Array;
  readonly key: KeyEncoder;
  readonly counters: Float64Array;
  /** Peeks in a way that a value within `staleTtl` of its expiry counts as absent. */
  peekFresh(key: string, staleTtl: number): V | undefined;
  store(key: string, value: V, options: LoadOptions): void;
}

/** The loads this one is part of, innermost first: what recursion and circles are found by. */
interface Chain {
  key: string;
  lease: number;
  outer: Chain | undefined;
}

interface Pending<V> {
  promise: Promise<V>;
  lease: number;
}

/** One caller's wait for somebody else's load. */
interface Wait {
  /** When to stop waiting for a busy lease, and for a free one; performance.now(). */
  loadAt: number;
  loadIfFullAt: number;
  counted: boolean;
}

const chains = new AsyncLocalStorage<Chain>();

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
  readonly #pending = new Map<string, Pending<V>>();

  constructor(target: FlightTarget<V>, leases: Leases) {
    this.#target = target;
    this.#leases = leases;
  }

  loadSync(key: string, compute: (key: string) => V, options: LoadOptions): V {
    const outer = chains.getStore();
    this.#rejectRecursion(key, outer);
    const wait = this.#newWait(options);
    for (;;) {
      const claim = this.#claim(key);
      // This thread's own asynchronous load cannot go on while it waits: computing is the only way.
      if (!this.#mustWait(wait, claim)) return this.#runSync(key, compute, options, claim, outer);
      this.#noteWait(key, outer, claim);
      Atomics.wait(this.#target.words, this.#leases.ticketWord(claim), claim.ticket, SLICE_MS);
      this.#leases.endWait(outer?.lease ?? -1);
      const loaded = this.#target.peekFresh(key, options.staleTtl ?? 0);
      if (loaded !== undefined) return loaded;
    }
  }

  load(key: string, loader: (key: string) => V | Promise<V>, options: AsyncLoadOptions): Promise<V> {
    const { signal } = options;
    const outer = chains.getStore();
    this.#rejectRecursion(key, outer);
    if (signal?.aborted) return Promise.reject(signal.reason);
    let pending = this.#pending.get(key);
    if (pending === undefined) {
      pending = this.#start(key, loader, options, outer);
    } else {
      this.#target.counters[COUNTER.waits]++;
      if (pending.lease >= 0) this.#noteWait(key, outer, { kind: 'own', lease: pending.lease });
    }
    return signal === undefined ? pending.promise : abortable(pending.promise, signal);
  }

  /** Refreshes in the background unless somebody does already; a failure leaves the stale value. */
  refresh(key: string, loader: (key: string) => V | Promise<V>, options: LoadOptions): void {
    if (this.#pending.has(key)) return;
    const claim = this.#claim(key);
    if (claim.kind !== 'owned') return;
    const pending: Pending<V> = { lease: claim.lease, promise: this.#run(key, loader, options, claim, undefined) };
    this.#pending.set(key, pending);
    const forget = (): void => {
      this.#pending.delete(key);
    };
    pending.promise.then(forget, forget);
  }

  #start(
    key: string,
    loader: (key: string) => V | Promise<V>,
    options: LoadOptions,
    outer: Chain | undefined,
  ): Pending<V> {
    const pending: Pending<V> = { lease: -1, promise: undefined as never };
    pending.promise = this.#claimAndLoad(key, loader, options, outer, pending).finally(() => {
      this.#pending.delete(key);
    });
    this.#pending.set(key, pending);
    return pending;
  }

  async #claimAndLoad(
    key: string,
    loader: (key: string) => V | Promise<V>,
    options: LoadOptions,
    outer: Chain | undefined,
    pending: Pending<V>,
  ): Promise<V> {
    const wait = this.#newWait(options);
    for (;;) {
      const claim = this.#claim(key);
      if (claim.kind !== 'full') pending.lease = claim.lease;
      if (!this.#mustWait(wait, claim)) return this.#run(key, loader, options, claim, outer);
      this.#noteWait(key, outer, claim);
      const ticket = Atomics.waitAsync(this.#target.words, this.#leases.ticketWord(claim), claim.ticket, SLICE_MS);
      // A pending waitAsync alone lets a thread end. The process may; a worker that awaits another's load must not vanish.
      const hold = isMainThread ? undefined : setTimeout(() => {}, HOLD_MS);
      if (ticket.async) await ticket.value;
      clearTimeout(hold);
      this.#leases.endWait(outer?.lease ?? -1);
      const loaded = this.#target.peekFresh(key, options.staleTtl ?? 0);
      if (loaded !== undefined) return loaded;
    }
  }

  #newWait(options: LoadOptions): Wait {
    const now = performance.now();
    return {
      loadAt: now + (options.timeoutMs ?? Number.POSITIVE_INFINITY),
      loadIfFullAt: now + FULL_WAIT_MS,
      counted: false,
    };
  }

  /** Whether to wait once more for what the claim found, and counts a caller that waits. */
  #mustWait(wait: Wait, claim: Claim): claim is Extract<Claim, { ticket: number }> {
    if (claim.kind !== 'busy' && claim.kind !== 'full') return false;
    const now = performance.now();
    if (now >= wait.loadAt || (claim.kind === 'full' && now >= wait.loadIfFullAt)) return false;
    if (!wait.counted) this.#target.counters[COUNTER.waits]++;
    wait.counted = true;
    return true;
  }

  #runSync(key: string, compute: (key: string) => V, options: LoadOptions, claim: Claim, outer: Chain | undefined): V {
    const { counters } = this.#target;
    const lease = claim.kind === 'owned' ? claim.lease : -1;
    try {
      const value = this.#target.peekFresh(key, options.staleTtl ?? 0);
      if (value !== undefined) return value;
      counters[COUNTER.loads]++;
      if (claim.kind === 'owned' && claim.takeover) counters[COUNTER.takeovers]++;
      const computed = chains.run({ key, lease, outer }, compute, key);
      this.#target.store(key, computed, options);
      return computed;
    } finally {
      if (lease >= 0) this.#leases.release(lease);
    }
  }

  async #run(
    key: string,
    loader: (key: string) => V | Promise<V>,
    options: LoadOptions,
    claim: Claim,
    outer: Chain | undefined,
  ): Promise<V> {
    const { counters } = this.#target;
    const lease = claim.kind === 'owned' ? claim.lease : -1;
    try {
      const value = this.#target.peekFresh(key, options.staleTtl ?? 0);
      if (value !== undefined) return value;
      counters[COUNTER.loads]++;
      if (claim.kind === 'owned' && claim.takeover) counters[COUNTER.takeovers]++;
      const loaded = await chains.run({ key, lease, outer }, loader, key);
      this.#target.store(key, loaded, options);
      return loaded;
    } finally {
      if (lease >= 0) this.#leases.release(lease);
    }
  }

  #claim(key: string): Claim {
    this.#target.key.encode(key);
    return this.#leases.claim(this.#target.key);
  }

  #rejectRecursion(key: string, outer: Chain | undefined): void {
    for (let chain = outer; chain !== undefined; chain = chain.outer) {
      if (chain.key === key) throw recursive(key, 'its own loader asks for it');
    }
  }

  #noteWait(key: string, outer: Chain | undefined, claim: Claim): void {
    if (claim.kind === 'full' || this.#leases.noteWait(outer?.lease ?? -1, claim.lease)) return;
    throw recursive(key, 'loaders wait for each other in a circle');
  }
}

function recursive(key: string, why: string): SharedCacheError {
  return new SharedCacheError('ERR_RECURSIVE_LOAD', `loading ${describe(key)} would wait for ever: ${why}`);
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
