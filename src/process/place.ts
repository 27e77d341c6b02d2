import { closeSync, fstatSync } from 'node:fs';
import { SharedCacheError } from '../errors.js';
import type { MappedFile } from '../memory/arena.js';
import type { RecordLocks } from '../sync/record-locks.js';
import { openAgain } from './again.js';
import { bootId } from './boot.js';
import { ByteLocks, LOCK } from './byte-locks.js';
import { clearClean, writeClean } from './header.js';
import { unmapRegions } from './mapping.js';
import { native } from './native.js';
import { lockOpening, tryLockOpening } from './opening.js';
import { FileRecords } from './records.js';

/** What a close waits for others that open or close, ms: without the lock it does not mark the file as clean. */
const CLOSE_PATIENCE_MS = 2_000;

/**
 * One thread's place at an opened cache file: a descriptor of its own, whose locks say that the thread lives. It must be
 * opened by Node, which closes it when the thread is a worker that ends.
 */
export class Place {
  readonly handle: MappedFile;
  readonly buffers: readonly SharedArrayBuffer[];
  readonly #descriptor: number;
  readonly #locks: ByteLocks;
  #closed = false;

  private constructor(handle: MappedFile, descriptor: number, locks: ByteLocks, buffers: readonly SharedArrayBuffer[]) {
    this.handle = handle;
    this.buffers = buffers;
    this.#descriptor = descriptor;
    this.#locks = locks;
  }

  /** The place of the thread that mapped the file, and holds the presence lock already. */
  static ofOpener(path: string, descriptor: number, locks: ByteLocks, buffers: readonly SharedArrayBuffer[]): Place {
    const { dev, ino } = fstatSync(descriptor);
    const users = new SharedArrayBuffer(4);
    new Int32Array(users)[0] = 1;
    return new Place({ path, dev, ino, users }, descriptor, locks, buffers);
  }

  /** A place for another thread of the process that mapped it. Throws ERR_INVALID_HANDLE. */
  static join(handle: MappedFile, buffers: readonly SharedArrayBuffer[]): Place {
    if (!tryUse(handle.users)) throw invalidHandle(handle, 'every thread of this process has closed it');
    let descriptor: number | undefined;
    try {
      descriptor = openAgain(handle.path, handle);
      if (descriptor === undefined) {
        throw invalidHandle(handle, 'its file was removed and no thread of this process has it open');
      }
      const locks = new ByteLocks(native(), descriptor);
      // Not while somebody finds nobody there and marks the file as clean.
      lockOpening(locks, handle.path);
      locks.tryShare(LOCK.presence);
      clearClean(descriptor, bootId());
      locks.unlock(LOCK.opening);
      return new Place(handle, descriptor, locks, buffers);
    } catch (error) {
      if (descriptor !== undefined) closeSync(descriptor);
      Atomics.sub(new Int32Array(handle.users), 0, 1);
      throw error;
    }
  }

  /** Tells who lives by locks on the cache's thread records. */
  threadRecords(): RecordLocks {
    return new FileRecords(this.#locks, LOCK.threads);
  }

  /** The same for the monitor's places, and for the marks of threads that name its operations. */
  monitorLocks(): { places: RecordLocks; marks: RecordLocks } {
    return {
      places: new FileRecords(this.#locks, LOCK.recorders),
      marks: new FileRecords(this.#locks, LOCK.marks),
    };
  }

  /** Whether this thread is the one that sweeps, of all processes: from the first true on, until it ends or closes. */
  trySweep(): boolean {
    return this.#locks.tryLock(LOCK.sweeper);
  }

  /**
   * Gives the place back. The last of all threads and processes writes the file back to its disk and marks it as clean; the
   * last of this process gives back the memory.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const isLastHere = Atomics.sub(new Int32Array(this.handle.users), 0, 1) === 1;
    try {
      if (tryLockOpening(this.#locks, CLOSE_PATIENCE_MS)) this.#endClean();
    } finally {
      closeSync(this.#descriptor);
      if (isLastHere) unmapRegions(native(), this.buffers);
    }
  }

  #endClean(): void {
    this.#locks.unlock(LOCK.presence);
    if (this.#locks.isHeldElsewhere(LOCK.presence)) return;
    try {
      writeClean(this.#descriptor);
    } catch {
      // The disk does not keep it: then it is not clean.
    }
  }
}

/** Counts one more user, unless the mapping was given up. */
function tryUse(users: SharedArrayBuffer): boolean {
  const words = new Int32Array(users);
  for (;;) {
    const count = Atomics.load(words, 0);
    if (count <= 0) return false;
    if (Atomics.compareExchange(words, 0, count, count + 1) === count) return true;
  }
}

function invalidHandle({ path }: MappedFile, why: string): SharedCacheError {
  return new SharedCacheError(
    'ERR_INVALID_HANDLE',
    `the handle of the cache opened by ${path} cannot be attached: ${why}; SharedCache.open opens the path again`,
  );
}
