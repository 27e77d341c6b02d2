import { SharedCacheError } from '../errors.js';
import type { Native } from './native.js';

/** Bytes of the file that are locked, whatever stands there. */
export const LOCK = {
  /** Held alone while a process decides what the file is to be: made, revived, discarded, marked as clean. */
  opening: 0,
  /** Held shared by every thread that has a place at the file. */
  presence: 1,
  /** Held by the thread that sweeps. */
  sweeper: 2,
  /** One for each thread record. */
  threads: 4_096,
  /** One for each thread record of the monitor. */
  recorders: 8_192,
  /** One for each thread that adds names to the monitor. */
  marks: 12_288,
} as const;

/** Attempts after which a lock that is refused though nobody holds it is taken for one that does not exist. */
const MAX_REFUSALS = 100;

/**
 * Locks on single bytes of an open file (fcntl with F_OFD_SETLK and F_OFD_GETLK), held by the open file description: the
 * kernel releases them when the descriptor is closed, which Node does for a worker that ends, and the kernel for a process
 * that is killed. So they tell who lives, over threads, processes and PID namespaces, without numbers that come back.
 * They do not see the locks of the same description: what a thread holds itself, it must know.
 */
export class ByteLocks {
  readonly #native: Native;
  readonly #descriptor: number;
  readonly #flock: Uint8Array;
  readonly #type: Int16Array;
  readonly #start: BigInt64Array;
  readonly #length: BigInt64Array;

  constructor(native: Native, descriptor: number) {
    const { flockBytes, typeByte, startByte, lengthByte } = native.platform;
    const buffer = new ArrayBuffer(flockBytes);
    this.#native = native;
    this.#descriptor = descriptor;
    this.#flock = new Uint8Array(buffer);
    this.#type = new Int16Array(buffer, typeByte, 1);
    this.#start = new BigInt64Array(buffer, startByte, 1);
    this.#length = new BigInt64Array(buffer, lengthByte, 1);
  }

  /** Locks the byte for this description alone, or does not and returns false. Throws ERR_INVALID_FILE without such locks. */
  tryLock(byte: number): boolean {
    return this.#try(this.#native.platform.writeLock, byte);
  }

  /** As tryLock, together with others that share it. */
  tryShare(byte: number): boolean {
    return this.#try(this.#native.platform.readLock, byte);
  }

  unlock(byte: number): void {
    this.#call(this.#native.platform.setLock, this.#native.platform.noLock, byte);
  }

  /** Whether another description holds it, alone or shared. True also when the question fails: only a clear no counts. */
  isHeldElsewhere(byte: number): boolean {
    const { getLock, writeLock, noLock } = this.#native.platform;
    return !this.#call(getLock, writeLock, byte) || this.#type[0] !== noLock;
  }

  #try(type: number, byte: number): boolean {
    const { setLock, getLock, noLock } = this.#native.platform;
    for (let refusals = 0; refusals < MAX_REFUSALS; refusals++) {
      if (this.#call(setLock, type, byte)) return true;
      if (!this.#call(getLock, type, byte)) break;
      // Held; or released since, and then it is worth another attempt.
      if (this.#type[0] !== noLock) return false;
    }
    throw new SharedCacheError(
      'ERR_INVALID_FILE',
      'the file system of the cache must have byte-range locks of open file descriptions (Linux 3.15 or later), this one refuses them',
    );
  }

  #call(command: number, type: number, byte: number): boolean {
    this.#flock.fill(0);
    this.#type[0] = type;
    this.#start[0] = BigInt(byte);
    this.#length[0] = 1n;
    return this.#native.control(this.#descriptor, command, this.#flock) !== -1;
  }
}
