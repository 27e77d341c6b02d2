import type { KeyEncoder } from '../codec/key.js';
import { CONTROL, LEASE, LEASE_COUNT, LEASE_WORDS, LEASES_WORD } from '../memory/layout.js';
import { monotonicMs } from '../sync/monotonic.js';
import { type LockContext, lockSlow, refuseIfLeft, tryLockWord, unlockWord } from '../sync/mutex.js';

/** Leases looked at for one key. */
const PROBES = 64;
/** A thread that was found alive is not asked again for so long: thousands of callers may wait for one loader. */
const ALIVE_MS = 12;

export type Claim =
  /** This thread loads; `takeover` when the thread that did before has died. */
  | { kind: 'owned'; lease: number; takeover: boolean }
  /** Another load of this thread holds the lease. */
  | { kind: 'own'; lease: number }
  | { kind: 'busy'; lease: number; ticket: number }
  /** No lease is free now; `ticket` of the table itself. */
  | { kind: 'full'; ticket: number };

/**
 * Who loads which key: a small table in shared memory, guarded by one lock that is held for a few loads and stores.
 *
 * A lease is named by two independent hashes of its key. Should two keys share both, one waits for the other's load and
 * then loads itself, so even that costs time only. The owner word is written last when a lease is taken and first when it
 * is given back: a thread may die between any two stores and leaves a lease that is free, or held by a dead thread.
 */
export class Leases {
  readonly #words: Int32Array;
  readonly context: LockContext;
  /** When each owner was last found alive, monotonicMs(). */
  readonly #aliveAt = new Map<number, number>();

  constructor(words: Int32Array, context: LockContext) {
    this.#words = words;
    this.context = context;
  }

  claim(key: KeyEncoder): Claim {
    const ticket = Atomics.load(this.#words, CONTROL.leaseReleases);
    if (!this.#lock()) return { kind: 'full', ticket };
    try {
      return this.#claimLocked(key.hash, key.secondHash(), ticket);
    } finally {
      unlockWord(this.#words, CONTROL.leaseLock);
    }
  }

  /** Gives the lease back and wakes everyone who waits for it. */
  release(lease: number): void {
    const m = this.#words;
    const word = wordOf(lease);
    if (m[word + LEASE.owner] !== this.context.owner) return;
    Atomics.store(m, word + LEASE.owner, 0);
    Atomics.add(m, word + LEASE.ticket, 1);
    Atomics.notify(m, word + LEASE.ticket);
    Atomics.add(m, CONTROL.leaseReleases, 1);
    Atomics.notify(m, CONTROL.leaseReleases);
  }

  /** Word to wait on while the claim is what it is. */
  ticketWord(claim: Claim): number {
    return claim.kind === 'full' ? CONTROL.leaseReleases : wordOf(claim.lease) + LEASE.ticket;
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

  #claimLocked(hash: number, identity: number, ticket: number): Claim {
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
      if (same && owner === me) return { kind: 'own', lease };
      // Asked only where it matters: whether a thread lives costs a system call.
      if (same || probe === PROBES - 1) {
        if (this.#isDead(owner)) return this.#takeLocked(lease, hash, identity, same);
        if (same) return { kind: 'busy', lease, ticket: Atomics.load(m, word + LEASE.ticket) };
      }
    }
    return free < 0 ? { kind: 'full', ticket } : this.#takeLocked(free, hash, identity, false);
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
    m[word + LEASE.hash] = hash;
    m[word + LEASE.identity] = identity;
    Atomics.store(m, word + LEASE.owner, this.context.owner);
    return { kind: 'owned', lease, takeover };
  }

  /** Nothing needs repair when the lock is taken from the dead: see the class. */
  #lock(): boolean {
    const m = this.#words;
    const lock = CONTROL.leaseLock;
    refuseIfLeft(this.context);
    return tryLockWord(m, lock, m[lock], -this.context.owner) || lockSlow(m, lock, this.context) !== 'timeout';
  }
}

const wordOf = (lease: number): number => LEASES_WORD + lease * LEASE_WORDS;
