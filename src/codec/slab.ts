import { markAsUntransferable } from 'node:worker_threads';

/** Node cuts shorter Buffers from a pool of its own, whose size depends on the version. */
const LEAST_BYTES = 4 * 1024;
const MOST_BYTES = 16 * 1024;
const SLAB_BYTES = 64 * 1024;

/**
 * Memory for the Buffers that are handed out: several share a slab, as Node's own short Buffers do, since an allocation
 * costs five times what copying 4 KiB costs. A slab is freed when the last of its Buffers is.
 */
export class Slab {
  #memory: ArrayBuffer | undefined;
  #used = 0;

  /** A Buffer of uninitialized bytes that nobody else has. */
  take(lengthBytes: number): Buffer {
    if (lengthBytes < LEAST_BYTES) return Buffer.allocUnsafe(lengthBytes);
    if (lengthBytes > MOST_BYTES) return Buffer.allocUnsafeSlow(lengthBytes);
    if (this.#memory === undefined || this.#used + lengthBytes > SLAB_BYTES) {
      this.#memory = Buffer.allocUnsafeSlow(SLAB_BYTES).buffer as ArrayBuffer;
      this.#used = 0;
      // Transferring one Buffer to another thread would take its neighbours along.
      markAsUntransferable(this.#memory);
    }
    const from = this.#used;
    // Views of up to eight bytes an element can be made of any of them.
    this.#used = (from + lengthBytes + 7) & ~7;
    return Buffer.from(this.#memory, from, lengthBytes);
  }
}
