import type { KeyEncoder } from '../codec/key.js';
import { CONTROL, LEASE, LEASE_COUNT, LEASE_HOMES_WORD, LEASE_WORDS, LEASES_WORD } from '../memory/layout.js';
import { clearInterval, monotonicMs, setInterval } from '../sync/monotonic.js';
import { type LockContext, lockSlow, refuseIfLeft, tryLockWord, unlockWord } from '../sync/mutex.js';
import type { RunningLoads } from '../table/shard.js';
import type { Tags } from '../table/tags.js';

/** Leases looked at for one key. */
const PROBES = 64;
/** A thread that was found alive is not asked again for so long: thousands of callers may wait for one loader. */
const ALIVE_MS = 12;
/** An asynchronous load shows that its thread runs this often, when its event loop turns or another key is asked for. */
const BEAT_MS = 250;
/** A load that has not shown it for so long is somebody else's to do: its thread stands still, though it lives. */
export const SILENCE_MS = 5_000;

/** A lease as a load sees it: `load` tells this load from others that have the lease before or after. */
interface Seen {
  readonly lease: number;
  readonly load: number;
  /** The number of the last invalidation when the load began. */
  readonly begun: number;
}

export type Claim =
  /** This thread loads; `takeover` when the thread that did before has died or stands still. */
  | (Seen & { kind: 'owned'; takeover: boolean })
  /** Another load of this thread holds the lease. */
  | (Seen & { kind: 'own' })
  | (Seen & { kind: 'busy'; ticket: number })
  /** No lease is free now; `ticket` of the table itself. */
  | { kind: 'full'; ticket: number; begun: number };

/**
 * Who loads which key: a small table in shared memory, guarded by one lock that is held for a few loads and stores.
 *
 * A lease is named by two independent hashes of its key. Should two keys share both, one waits for the other's load and
 * then loads itself, so even that costs time only. The owner word is written last when a lease is taken and first when it
 * is given back: a thread may die between any two stores and leaves a lease that is free, or held by a dead thread.
 *
 * Whoever writes a key marks its lease as overtaken, under the lock of the key's shard; the loader stores under that lock
 * too, and only what was not overtaken. A write looks for a lease only if the key's home slot counts one: the count is
 * raised before the owner is stored and lowered after it was cleared, so it is never too low, and a death leaves it too
 * high at worst. A loader begins after it has the lease. So a write that found none was over before the loader read its data.
 */
export class Leases implements RunningLoads {
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #tags: Tags;
  readonly context: LockContext;
  /** When each owner was last found alive, ms. */
  readonly #aliveAt = new Map<number, number>();
  /** Leases of this thread's asynchronous loads, which show that its event loop turns. */
  readonly #beating = new Map<number, number>();
  #beats: ReturnType<typeof setInterval> | undefined;
  #beatenAt = 0;

  constructor(words: Int32Array, doubles: Float64Array, tags: Tags, context: LockContext) {
    this.#words = words;
    this.#doubles = doubles;
    this.#tags = tags;
    this.context = context;
  }

  /**
   * `hashes` are those of the key's namespaces and tags: a load that one of them has overtaken is taken over, and every other one
   * by a write.
   */
  claim(key: KeyEncoder, hashes: readonly number[], isWrite: boolean): Claim {
    const ticket = Atomics.load(this.#words, CONTROL.leaseReleases);
    // A thread that asks for one key after the other runs, though its event loop may not turn for long.
    if (this.#beating.size > 0 && monotonicMs() - this.#beatenAt > BEAT_MS) this.#beatAll();
    if (!this.#lock()) return { kind: 'full', ticket, begun: this.#tags.now() };
    try {
      return this.#claimLocked(key.hash, key.secondHash(), hashes, isWrite, ticket);
    } finally {
      unlockWord(this.#words, CONTROL.leaseLock);
    }
  }

  /** From now on the load, which is asynchronous, shows that its thread's event loop turns. */
  beat({ lease, load }: Seen): void {
    this.#beating.set(lease, load);
    this.#words[wordOf(lease) + LEASE.beat] = beatNow();
    if (this.#beats !== undefined) return;
    this.#beats = setInterval(() => this.#beatAll(), BEAT_MS);
    (this.#beats as { unref?(): void }).unref?.();
  }

  /** Gives the lease back, if it is still this load's, and wakes everyone who waits for it. */
  release({ lease, load }: Seen): void {
    const m = this.#words;
    const word = wordOf(lease);
    if (this.#beating.get(lease) === load) this.#beating.delete(lease);
    if (m[word + LEASE.owner] !== this.context.owner || m[word + LEASE.load] >>> 1 !== load) return;
    const home = homeOf(m[word + LEASE.hash]);
    if (Atomics.compareExchange(m, word + LEASE.owner, this.context.owner, 0) !== this.context.owner) return;
    Atomics.sub(m, home, 1);
    Atomics.add(m, word + LEASE.ticket, 1);
    Atomics.notify(m, word + LEASE.ticket);
    Atomics.add(m, CONTROL.leaseReleases, 1);
    Atomics.notify(m, CONTROL.leaseReleases);
  }

  /** Word to wait on while the claim is what it is. */
  ticketWord(claim: Claim): number {
    return claim.kind === 'full' ? CONTROL.leaseReleases : wordOf(claim.lease) + LEASE.ticket;
  }

  /**
   * Whether the load has its lease and was not overtaken: what it loaded may be stored. Exact under the lock of the key's
   * shard. A load without a lease cannot know, so it may not; nor one whose patience ended and that loads beside the one that has
   * the lease, once that has given it back: a write finds no lease to mark then.
   */
  isCurrent(claim: Claim): boolean {
    if (claim.kind === 'full') return false;
    const word = wordOf(claim.lease);
    return Atomics.load(this.#words, word + LEASE.owner) !== 0 && this.#words[word + LEASE.load] === claim.load << 1;
  }

  /** Under the lock of the key's shard: what anybody has begun to load for it is not to be stored. */
  overtake(key: KeyEncoder): void {
    if (this.#words[homeOf(key.hash)] !== 0) this.#mark(key);
  }

  /** The same for one load, because of a tag of it that was invalidated: nobody can tell from the lease. */
  overtakeLoad({ lease, load }: Seen): void {
    Atomics.compareExchange(this.#words, wordOf(lease) + LEASE.load, load << 1, (load << 1) | 1);
  }

  #mark(key: KeyEncoder): void {
    const m = this.#words;
    for (let probe = 0; probe < PROBES; probe++) {
      const word = wordOf((key.hash + probe) & (LEASE_COUNT - 1));
      if (m[word + LEASE.hash] !== key.hash || Atomics.load(m, word + LEASE.owner) === 0) continue;
      if (m[word + LEASE.identity] === key.secondHash()) Atomics.or(m, word + LEASE.load, 1);
    }
  }

  /** The thread that loads the key with these hashes, 0 if none does. No lock: an answer a moment old will do. */
  ownerOf(hash: number, identity: number): number {
    const m = this.#words;
    for (let probe = 0; probe < PROBES; probe++) {
      const word = wordOf((hash + probe) & (LEASE_COUNT - 1));
      const owner = Atomics.load(m, word + LEASE.owner);
      if (owner !== 0 && m[word + LEASE.hash] === hash && m[word + LEASE.identity] === identity) return owner;
    }
    return 0;
  }

  #claimLocked(hash: number, identity: number, hashes: readonly number[], isWrite: boolean, ticket: number): Claim {
    const m = this.#words;
    const { owner: me } = this.context;
    let free = -1;
    for (let probe = 0; probe < PROBES; probe++) {
      const lease = (hash + probe) & (LEASE_COUNT - 1);
      const word = wordOf(lease);
      const owner = Atomics.load(m, word + LEASE.owner);
      if (owner === 0) {
        if (free < 0) free = lease;
        continue;
      }
      const same = m[word + LEASE.hash] === hash && m[word + LEASE.identity] === identity;
      if (same && (isWrite || this.#isOvertaken(word, hashes))) return this.#takeLocked(lease, hash, identity, false);
      const seen = { lease, load: m[word + LEASE.load] >>> 1, begun: this.#doubles[(word + LEASE.begun) >> 1] };
      if (same && owner === me) return { kind: 'own', ...seen };
      // Asked only where it matters: whether a thread lives costs a system call.
      if (same || probe === PROBES - 1) {
        if (this.#isSilent(word) || this.#isDead(owner)) return this.#takeLocked(lease, hash, identity, same);
        if (same) return { kind: 'busy', ...seen, ticket: Atomics.load(m, word + LEASE.ticket) };
      }
    }
    if (free >= 0) return this.#takeLocked(free, hash, identity, false);
    return { kind: 'full', ticket, begun: this.#tags.now() };
  }

  /** Whether the key was written, or a tag or a namespace of it invalidated, since the lease's load began. */
  #isOvertaken(word: number, hashes: readonly number[]): boolean {
    const begun = this.#doubles[(word + LEASE.begun) >> 1];
    return (this.#words[word + LEASE.load] & 1) !== 0 || this.#tags.haveOvertaken(hashes, begun);
  }

  #isSilent(word: number): boolean {
    const beat = this.#words[word + LEASE.beat];
    return beat !== 0 && ((beatNow() - beat) | 0) > SILENCE_MS;
  }

  #isDead(owner: number): boolean {
    const now = monotonicMs();
    if (now - (this.#aliveAt.get(owner) ?? Number.NEGATIVE_INFINITY) < ALIVE_MS) return false;
    if (this.context.registry.isDead(owner)) {
      this.#aliveAt.delete(owner);
      return true;
    }
    this.#aliveAt.set(owner, now);
    return false;
  }

  #takeLocked(lease: number, hash: number, identity: number, takeover: boolean): Claim {
    const m = this.#words;
    const word = wordOf(lease);
    const load = ((m[word + LEASE.load] >>> 1) + 1) & LAST_LOAD;
    const begun = this.#tags.now();
    // Free first: what is written next belongs to nobody until the owner is there.
    if (Atomics.exchange(m, word + LEASE.owner, 0) !== 0) Atomics.sub(m, homeOf(m[word + LEASE.hash]), 1);
    Atomics.add(m, homeOf(hash), 1);
    m[word + LEASE.hash] = hash;
    m[word + LEASE.identity] = identity;
    m[word + LEASE.beat] = 0;
    this.#doubles[(word + LEASE.begun) >> 1] = begun;
    Atomics.store(m, word + LEASE.load, load << 1);
    Atomics.store(m, word + LEASE.owner, this.context.owner);
    return { kind: 'owned', lease, load, begun, takeover };
  }

  #beatAll(): void {
    this.#beatenAt = monotonicMs();
    for (const [lease, load] of this.#beating) {
      const word = wordOf(lease);
      if (this.#words[word + LEASE.owner] === this.context.owner && this.#words[word + LEASE.load] >>> 1 === load)
        this.#words[word + LEASE.beat] = beatNow();
      else this.#beating.delete(lease);
    }
    // Not at the last release: one load after the other would have a timer each.
    if (this.#beating.size > 0 || this.#beats === undefined) return;
    clearInterval(this.#beats);
    this.#beats = undefined;
  }

  /** Nothing needs repair when the lock is taken from the dead: see the class. */
  #lock(): boolean {
    const m = this.#words;
    const lock = CONTROL.leaseLock;
    refuseIfLeft(this.context);
    return tryLockWord(m, lock, m[lock], -this.context.owner) || lockSlow(m, lock, this.context) !== 'timeout';
  }
}

/** Loads of one lease are told apart by so many numbers. */
const LAST_LOAD = 2 ** 30 - 1;

const wordOf = (lease: number): number => LEASES_WORD + lease * LEASE_WORDS;
const homeOf = (hash: number): number => LEASE_HOMES_WORD + (hash & (LEASE_COUNT - 1));

/** The machine's ms in one word, never 0; differences are right over its end. */
const beatNow = (): number => Math.floor(monotonicMs()) | 1;
