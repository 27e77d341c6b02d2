import { lockFence } from './seqlock.js';
import type { ThreadRegistry } from './threads.js';

/** Loads of the lock word before a waiter sleeps. */
const SPINS = 200;
/** Longest single sleep: a missed wake-up or a dead owner costs at most this before the next look. */
const SLICE_MS = 2;
/** A live owner that keeps a lock this long has abandoned it (stack overflow, vm timeout) or is very busy: ask it. */
const ASK_AFTER_MS = 10;

export type LockOutcome = 'locked' | 'stolen' | 'timeout';

/** What one thread brings to every lock of a cache. */
export interface LockContext {
  readonly owner: number;
  readonly registry: ThreadRegistry;
  readonly lockTimeoutMs: number;
}

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
 * Every wait is timed, so neither a lost notify nor a death while waiting can hang anyone.
 */
export function lockSlow(words: Int32Array, lock: number, context: LockContext): LockOutcome {
  const me = -context.owner;
  const start = performance.now();
  let asked = false;
  for (let spin = 0; ; spin++) {
    const word = Atomics.load(words, lock);
    if (word >= 0) {
      if (tryLockWord(words, lock, word, me)) return 'locked';
      continue;
    }
    // This thread is here, so it is not inside the critical section it left locked.
    if (word === me) return 'stolen';
    if (spin < SPINS) continue;
    if (context.registry.isDead(-word)) {
      if (Atomics.compareExchange(words, lock, word, me) === word) return 'stolen';
      continue;
    }
    const waitedMs = performance.now() - start;
    if (waitedMs >= context.lockTimeoutMs) return 'timeout';
    if (waitedMs >= ASK_AFTER_MS && !asked) {
      asked = true;
      Atomics.store(context.registry.words, context.registry.askWord(-word), 1);
      Atomics.notify(context.registry.words, context.registry.askWord(-word));
    }
    Atomics.store(words, lock + 2, 1);
    Atomics.wait(words, lock, word, SLICE_MS);
  }
}

/** Gives the lock word its next version and wakes who waits. */
export function unlockWord(words: Int32Array, lock: number): void {
  Atomics.exchange(words, lock, words[lock + 1]);
  if (words[lock + 2] !== 0) {
    words[lock + 2] = 0;
    Atomics.notify(words, lock);
  }
}
