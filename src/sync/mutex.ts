import { closedHere } from '../errors.js';
import { monotonicMs } from './monotonic.js';
import { lockFence } from './seqlock.js';
import type { ThreadRegistry } from './threads.js';

/** Loads of the lock word before a waiter sleeps. */
const SPINS = 200;
/** A live owner that keeps a lock this long has abandoned it (stack overflow, vm timeout), is dead, or is very busy. */
const DOUBT_AFTER_MS = 10;

/** How often it is doubted again. */
const DOUBT_EVERY_MS = 50;

export type LockOutcome = 'locked' | 'stolen' | 'timeout';

/** What one thread brings to every lock of a cache. */
export interface LockContext {
  readonly owner: number;
  readonly registry: ThreadRegistry;
  readonly lockTimeoutMs: number;
  /** Longest single sleep, ms: what a missed wake-up costs. */
  readonly sliceMs: number;
  /** Whether the thread's attachment was given back: its owner number may be another thread's soon, so it locks no more. */
  left: boolean;
}

/** In one process a wake-up always comes, and a sleep is only cut short to look for a dead owner. */
export const SLICE_MS = 50;
/** Wake-ups do not cross processes: a waiter looks this often. */
export const SLICE_OF_PROCESSES_MS = 1;

export function nextVersion(version: number): number {
  return (version + 2) & 0x7ffffffe;
}

/** One attempt on a free word, `version` being what it was just seen as. */
export function tryLockWord(words: Int32Array, lock: number, version: number, me: number): boolean {
  if (version < 0 || Atomics.compareExchange(words, lock, version, me) !== version) return false;
  lockFence(words, lock);
  // Died before this store: the old version equals the word that was free, and recovery advances it all the same.
  words[lock + 1] = nextVersion(version);
  return true;
}

/**
 * Waits for a lock word and takes it. `locked`: the word was free. `stolen`: it was taken from a dead thread, or from this
 * thread's own past (a critical section it was thrown out of): what the lock guards must be repaired first.
 * `words[lock + 1]` is the version to unlock with, `words[lock + 2]` the flag that somebody waits.
 *
 * An unlock wakes one waiter, which sets the flag again for the next: with more threads than cores, waking all of them
 * would cost more than the work. Every wait is timed, so neither a lost notify nor a death while waiting can hang anyone.
 */
export function lockSlow(words: Int32Array, lock: number, context: LockContext): LockOutcome {
  refuseIfLeft(context);
  const me = -context.owner;
  const start = monotonicMs();
  let doubtAfterMs = DOUBT_AFTER_MS;
  let asked = false;
  let slept = false;
  for (let spin = 0; ; spin++) {
    const word = Atomics.load(words, lock);
    if (word >= 0) {
      if (!tryLockWord(words, lock, word, me)) continue;
      // The wake-up that ended the sleep was the only one, and others may sleep as well.
      if (slept) words[lock + 2] = 1;
      return 'locked';
    }
    // This thread is here, so it is not inside the critical section it left locked.
    if (word === me) return 'stolen';
    if (spin < SPINS) continue;
    const left = start + context.lockTimeoutMs - monotonicMs();
    if (left <= 0) return 'timeout';
    Atomics.store(words, lock + 2, 1);
    const outcome = Atomics.wait(words, lock, word, Math.min(context.sliceMs, doubtAfterMs, left));
    slept = true;
    // Woken, or the lock has changed hands: whoever has it now has not kept it for long.
    if (outcome !== 'timed-out') continue;
    if (context.registry.isDead(-word)) {
      if (Atomics.compareExchange(words, lock, word, me) === word) return 'stolen';
      continue;
    }
    doubtAfterMs = DOUBT_EVERY_MS;
    if (asked) continue;
    asked = true;
    Atomics.store(context.registry.words, context.registry.askWord(-word), 1);
    Atomics.notify(context.registry.words, context.registry.askWord(-word));
  }
}

/** Gives the lock word its next version and wakes one of those who wait. */
export function unlockWord(words: Int32Array, lock: number): void {
  Atomics.exchange(words, lock, words[lock + 1]);
  if (words[lock + 2] !== 0) {
    words[lock + 2] = 0;
    Atomics.notify(words, lock, 1);
  }
}

/** Throws ERR_CLOSED for an attachment that was given back. */
export function refuseIfLeft(context: LockContext): void {
  if (context.left) throw closedHere();
}
