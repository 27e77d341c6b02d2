import { isMainThread } from 'node:worker_threads';
import { describe, SharedCacheError } from '../errors.js';
import { COUNTER } from '../memory/layout.js';
import { clearTimeout, monotonicMs, setTimeout } from '../sync/monotonic.js';
import type { Table } from '../table/table.js';
import { type Claim, Leases } from './leases.js';
import { type Loaded, NOTHING } from './loaded.js';
import { NoResult } from './no-result.js';
import type { Load, LoaderContext } from './options.js';
import { Pending } from './pending.js';
import { currentLoad, currentLoads, type Frame, runCompute, runLoader } from './stack.js';
import type { LoadTarget } from './target.js';
import { type KeyId, type NotedWait, Waits } from './waits.js';
import { Work } from './work.js';

/** Longest wait for any lease to come free: were all held by loads that wait for one, none ever would. */
const FULL_WAIT_MS = 1_000;
/** Longer than any wait it goes with. */
const HOLD_MS = 60_000;
/** Longest sleep between two looks at whether the loading thread still lives. */
const SLICE_MS = 25;
/** No entry has this version. */
export const NO_VERSION = -1;

export type Loader = (key: string, context: LoaderContext<unknown>) => unknown;

/** One caller's wait for somebody else's load. */
interface Wait {
  /** When to stop waiting for a busy lease, and for a free one; ms. */
  loadAt: number;
  loadIfFullAt: number;
  counted: boolean;
}

/** A load as it goes through a flight. */
interface Call {
  readonly target: LoadTarget;
  readonly key: string;
  readonly loader: Loader;
  readonly load: Load;
  /** The version a found value must not have: that of the one that is to be replaced. */
  readonly than: number;
}

/** Where a load belongs. */
interface Place {
  readonly outer: Frame | undefined;
  readonly alone: boolean;
}

/** What synchronous loaders get: nobody can abort while they run. */
const NEVER = new AbortController();

const flights = new WeakMap<Table, Flight>();

/**
 * Single flight: of all callers that miss a key, on all threads, one loads and the others get its result.
 *
 * In a thread, callers share a promise. Across threads a lease names the loader; the others sleep on the lease's ticket,
 * wake at its release or look every 25 ms whether its owner still lives and its event loop turns, and then look for the
 * value again. One that finds neither value nor loader becomes the loader, which covers a failed load, a dead thread, and a
 * value that was not stored: because the cache refused it, or because the load was overtaken.
 *
 * A load is overtaken when its key is written, or a tag or namespace of it invalidated, after it began: what it read may be
 * older than that. Its callers get it, but it is not stored, and who asks later begins a load of their own.
 */
export class Flight {
  readonly #table: Table;
  readonly #leases: Leases;
  readonly #waits: Waits;
  /** Loads of this thread by keyspace and key. */
  readonly #pending = new Map<string, Map<string, Pending>>();

  /** The thread's flight of the cache: all its objects share it. */
  static of(table: Table): Flight {
    let flight = flights.get(table);
    if (flight === undefined) {
      flight = new Flight(table);
      flights.set(table, flight);
    }
    return flight;
  }

  private constructor(table: Table) {
    const { words, doubles } = table.arena;
    this.#table = table;
    this.#leases = new Leases(words, doubles, table.tags, table.lockContext);
    this.#waits = new Waits(words, table.lockContext, this.#leases);
    table.overtaking(this.#leases);
  }

  /** `than`: the version of what is to be replaced, when the key is present and loaded all the same. */
  async load(target: LoadTarget, key: string, loader: Loader, load: Load, than = NO_VERSION): Promise<Loaded> {
    const { signal } = load;
    if (signal?.aborted) throw signal.reason;
    const call: Call = { target, key, loader, load, than };
    const noted = this.#noteWait(target, key);
    const asked = this.#table.tags.now();
    const pending = noted === 'alone' ? this.#startAlone(call) : this.#shared(call);
    const loaded = await pending.join(signal, noted === 'alone' ? undefined : noted);
    // Joined after an invalidation of a tag that only the loader knew: what it read may be older.
    const begun = pending.running?.begun ?? asked;
    const isOfNoUse = (loaded.isOutdated && asked > begun) || (loaded === NOTHING && !load.isOwn);
    return isOfNoUse ? this.load(target, key, loader, load, than) : loaded;
  }

  loadSync(target: LoadTarget, key: string, loader: Loader, load: Load, than = NO_VERSION): Loaded {
    const call: Call = { target, key, loader, load, than };
    const noted = this.#noteWait(target, key);
    if (noted === 'alone') return this.#runSync(call, this.#noLease(), true);
    try {
      return this.#waitOrRunSync(call);
    } finally {
      noted?.end();
    }
  }

  /** Computes the value anew; undefined while somebody else does, whose callers keep the value they have. */
  refreshSync(target: LoadTarget, key: string, loader: Loader, load: Load, than: number): Loaded | undefined {
    for (const frame of currentLoads(this.#table.arena.words)) if (isOf(frame, target, key)) return undefined;
    const call: Call = { target, key, loader, load, than };
    const claim = this.#claim(call);
    return claim.kind === 'owned' ? this.#runSync(call, claim, false) : undefined;
  }

  /** Refreshes in the background unless somebody does or did already; a failure leaves the value that is there. */
  refresh(target: LoadTarget, key: string, loader: Loader, load: Load, than: number): void {
    if (this.#pendingOf(target, key, load) !== undefined) return;
    const call: Call = { target, key, loader, load, than };
    const claim = this.#claim(call);
    if (claim.kind !== 'owned') return;
    // Whoever asked is not waiting for it: not part of any other load.
    this.#start(call, claim, { outer: undefined, alone: false });
  }

  /** A load that nobody else knows of. */
  #startAlone(call: Call): Pending {
    const pending = new Pending();
    pending.start(() => this.#run(call, this.#noLease(), { outer: currentLoad(), alone: true }, pending));
    return pending;
  }

  /** The load of the key that is going on in this thread, unless it was overtaken, or a new one. */
  #shared(call: Call): Pending {
    const before = call.load.isWrite ? undefined : this.#pendingOf(call.target, call.key, call.load);
    if (before !== undefined) {
      this.#table.counters[COUNTER.waits]++;
      return before;
    }
    return this.#start(call, this.#claim(call), { outer: currentLoad(), alone: false });
  }

  /** A load that callers of this thread join from now on, until it ends. */
  #start(call: Call, claim: Claim, place: Place): Pending {
    const pending = new Pending();
    this.#remember(call, pending);
    const mayRun = call.load.isWrite || claim.kind === 'owned' || claim.kind === 'own';
    pending.start(() =>
      mayRun ? this.#run(call, claim, place, pending) : this.#waitOrRun(call, claim, place, pending),
    );
    return pending;
  }

  async #waitOrRun(call: Call, busy: Claim, place: Place, pending: Pending): Promise<Loaded> {
    const { target, key, load } = call;
    const { words } = this.#table.arena;
    const wait = this.#newWait(load);
    let claim = busy;
    try {
      while (this.#mustWait(wait, claim)) {
        const ticket = Atomics.waitAsync(words, this.#leases.ticketWord(claim), claim.ticket, SLICE_MS);
        // A pending waitAsync alone lets a thread end. A process may when the load is its own; who awaits another's must not.
        const isOwnProcess = isMainThread && this.#table.place === undefined;
        const hold = isOwnProcess ? undefined : setTimeout(() => {}, HOLD_MS);
        if (ticket.async) await ticket.value;
        clearTimeout(hold);
        const loaded = target.findFresh(key, load.staleTtl, call.than);
        if (loaded !== undefined) return loaded;
        claim = this.#claim(call);
      }
      return await this.#run(call, claim, place, pending);
    } finally {
      this.#forget(call, pending);
    }
  }

  #waitOrRunSync(call: Call): Loaded {
    const { target, key, load } = call;
    const { registry, owner, arena } = this.#table;
    const wait = this.#newWait(load);
    for (;;) {
      const claim = this.#claim(call);
      // This thread's own asynchronous load cannot go on while it waits: computing is the only way.
      if (!this.#mustWait(wait, claim)) return this.#runSync(call, claim, false);
      const id = this.#idOf(target, key);
      registry.block(owner, id.hash, id.identity);
      const outcome = Atomics.wait(arena.words, this.#leases.ticketWord(claim), claim.ticket, SLICE_MS);
      // The same when another thread's load waits for one of this thread's.
      const needed = outcome === 'timed-out' && this.#waits.needsThisThread(id);
      registry.unblock(owner);
      const loaded = target.findFresh(key, load.staleTtl, call.than);
      if (loaded !== undefined) return loaded;
      if (needed) return this.#runSync(call, claim, false);
    }
  }

  #newWait({ timeoutMs }: Load): Wait {
    const now = monotonicMs();
    return { loadAt: now + timeoutMs, loadIfFullAt: now + FULL_WAIT_MS, counted: false };
  }

  /** Whether to wait once more for what the claim found, and counts a caller that waits. */
  #mustWait(wait: Wait, claim: Claim): claim is Extract<Claim, { ticket: number }> {
    if (claim.kind !== 'busy' && claim.kind !== 'full') return false;
    const now = monotonicMs();
    if (now >= wait.loadAt || (claim.kind === 'full' && now >= wait.loadIfFullAt)) return false;
    if (!wait.counted) this.#table.counters[COUNTER.waits]++;
    wait.counted = true;
    return true;
  }

  #runSync(call: Call, claim: Claim, alone: boolean): Loaded {
    const { target, key, load } = call;
    try {
      const present = target.findFresh(key, load.staleTtl, call.than);
      if (present !== undefined) return present;
      this.#countLoad(claim);
      const work = new Work(target, key, load, NEVER);
      const frame = this.#frame(call, currentLoad(), alone);
      let value: unknown;
      try {
        value = runCompute(frame, () => call.loader(key, work.context));
      } catch (error) {
        return oldOr(target, key, load, error);
      }
      return this.#settle(call, claim, work, value);
    } finally {
      if (claim.kind === 'owned') this.#leases.release(claim);
    }
  }

  async #run(call: Call, claim: Claim, { outer, alone }: Place, pending: Pending): Promise<Loaded> {
    const { target, key, load } = call;
    pending.running = claim;
    if (claim.kind === 'owned') this.#leases.beat(claim);
    try {
      const present = load.isWrite ? undefined : target.findFresh(key, load.staleTtl, call.than);
      if (present !== undefined) return present;
      this.#countLoad(claim);
      const work = new Work(target, key, load, pending);
      pending.work = work;
      let value: unknown;
      try {
        const begin = (): unknown => call.loader(key, work.context);
        value = await (load.isOwn ? begin() : runLoader(this.#frame(call, outer, alone), begin));
      } catch (error) {
        return oldOr(target, key, load, error);
      }
      return value === undefined && load.isOwn ? NOTHING : this.#settle(call, claim, work, value);
    } finally {
      // Before the lease is free: the next thread to load the key must not find that it is still waited for here.
      this.#forget(call, pending);
      if (claim.kind === 'owned') this.#leases.release(claim);
    }
  }

  #settle({ target, key, load }: Call, claim: Claim, work: Work, value: unknown): Loaded {
    const { tags } = this.#table;
    const { begun } = claim;
    return target.settle(key, {
      value,
      load,
      ttl: work.ttl,
      tags: work.tags,
      skipped: work.skipped,
      begun,
      // A load of the library's own leaves a write alone that it may be beside.
      isBeside: claim.kind !== 'owned' && !load.isOwn,
      isCurrent: (hashes) => this.#leases.isCurrent(claim) && !tags.haveOvertaken(hashes, begun),
    });
  }

  #countLoad(claim: Claim): void {
    const { counters } = this.#table;
    counters[COUNTER.loads]++;
    if (claim.kind === 'owned' && claim.takeover) counters[COUNTER.takeovers]++;
  }

  #claim({ target, key, load }: Call): Claim {
    const hashes = target.hashesOf(load.tags);
    target.encode(key);
    return this.#leases.claim(this.#table.key, hashes, load.isWrite);
  }

  /** For a load that nobody else can wait for, and that cannot be overtaken: what it loads is not stored. */
  #noLease(): Claim {
    return { kind: 'full', ticket: 0, begun: this.#table.tags.now() };
  }

  #frame({ target, key }: Call, outer: Frame | undefined, alone: boolean): Frame {
    return {
      words: this.#table.arena.words,
      space: target.id,
      key,
      id: this.#idOf(target, key),
      outer,
      alone,
      waits: [],
      ended: false,
    };
  }

  #idOf(target: LoadTarget, name: string): KeyId {
    const { key } = this.#table;
    target.encode(name);
    return { hash: key.hash, identity: key.secondHash() };
  }

  // ---- loads of this thread --------------------------------------------------------------------------------------

  /** The load of the key that a caller with these options may still join. */
  #pendingOf(target: LoadTarget, key: string, { tags }: Load): Pending | undefined {
    const pending = this.#pending.get(target.id)?.get(key);
    const claim = pending?.running;
    if (pending === undefined || pending.isAborted) return undefined;
    if (claim === undefined || claim.kind === 'full') return pending;
    if (!this.#leases.isCurrent(claim)) return undefined;
    if (this.#table.tags.now() === claim.begun) return pending;
    const hashes = target.hashesOf([...tags, ...pending.tags]);
    if (!this.#table.tags.haveOvertaken(hashes, claim.begun)) return pending;
    // The load to come may not name that tag, and must find the lease free all the same.
    this.#leases.overtakeLoad(claim);
    return undefined;
  }

  #remember({ target, key }: Call, pending: Pending): void {
    const inSpace = this.#pending.get(target.id) ?? new Map<string, Pending>();
    this.#pending.set(target.id, inSpace);
    inSpace.set(key, pending);
  }

  #forget({ target, key }: Call, pending: Pending): void {
    pending.endWaits();
    const inSpace = this.#pending.get(target.id);
    if (inSpace?.get(key) !== pending) return;
    inSpace.delete(key);
    if (inSpace.size === 0) this.#pending.delete(target.id);
  }

  /**
   * Notes that the loader this call is in, if it is in one, waits for the key. 'alone' when that cannot be noted. Throws
   * ERR_RECURSIVE_LOAD where the key's load waits for this very loader.
   */
  #noteWait(target: LoadTarget, key: string): NotedWait | 'alone' | undefined {
    if (currentLoad() === undefined) return undefined;
    let innermost: Frame | undefined;
    for (const frame of currentLoads(this.#table.arena.words)) {
      if (isOf(frame, target, key)) throw recursive(key, 'its own loader asks for it');
      innermost ??= frame;
    }
    if (innermost === undefined) return undefined;
    const noted = innermost.alone ? undefined : this.#waits.note(innermost.id, this.#idOf(target, key));
    if (noted === 'circle') throw recursive(key, 'loaders wait for each other in a circle');
    if (noted === undefined) return 'alone';
    innermost.waits.push(noted);
    return noted;
  }
}

const isOf = (frame: Frame, target: LoadTarget, key: string): boolean => frame.space === target.id && frame.key === key;

/** The old value if it is still within the load's grace; else throws what the loader threw. */
function oldOr(target: LoadTarget, key: string, { grace }: Load, error: unknown): Loaded {
  const old = grace > 0 && !(error instanceof NoResult) ? target.findOld(key, grace) : undefined;
  if (old === undefined) throw error;
  return old;
}

function recursive(key: string, why: string): SharedCacheError {
  return new SharedCacheError('ERR_RECURSIVE_LOAD', `loading ${describe(key)} would wait for ever: ${why}`);
}
