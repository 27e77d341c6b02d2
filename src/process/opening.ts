import { SharedCacheError } from '../errors.js';
import { monotonicMs } from '../sync/monotonic.js';
import { type ByteLocks, LOCK } from './byte-locks.js';

/** Longest wait for another process that opens, removes or closes the same file, ms: reserving a large file takes a while. */
const PATIENCE_MS = 60_000;
const LONGEST_PAUSE_MS = 10;

const pause = new Int32Array(new SharedArrayBuffer(4));

/** Takes the lock under which a process decides what the file is to be; false after `patienceMs`. */
export function tryLockOpening(locks: ByteLocks, patienceMs: number): boolean {
  const end = monotonicMs() + patienceMs;
  for (let pauseMs = 0.25; !locks.tryLock(LOCK.opening); pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    if (monotonicMs() >= end) return false;
    Atomics.wait(pause, 0, 0, pauseMs);
  }
  return true;
}

/** As tryLockOpening, with patience. Throws ERR_LOCK_TIMEOUT. */
export function lockOpening(locks: ByteLocks, path: string): void {
  if (tryLockOpening(locks, PATIENCE_MS)) return;
  throw new SharedCacheError(
    'ERR_LOCK_TIMEOUT',
    `another process has been opening or closing the cache file ${path} for ${PATIENCE_MS / 1_000} s; is it stopped?`,
  );
}
