import type { RecordLocks } from '../sync/record-locks.js';
import type { ByteLocks } from './byte-locks.js';

/** Thread records, each with a byte of the file that its thread keeps locked while it lives. */
export class FileRecords implements RecordLocks {
  readonly #locks: ByteLocks;
  readonly #firstByte: number;
  #own = -1;

  constructor(locks: ByteLocks, firstByte: number) {
    this.#locks = locks;
    this.#firstByte = firstByte;
  }

  tryTake(record: number): boolean {
    if (!this.#locks.tryLock(this.#firstByte + record)) return false;
    this.#own = record;
    return true;
  }

  isTaken(record: number): boolean {
    // A description does not see its own locks.
    return record === this.#own || this.#locks.isHeldElsewhere(this.#firstByte + record);
  }

  release(): void {
    if (this.#own >= 0) this.#locks.unlock(this.#firstByte + this.#own);
    this.#own = -1;
  }
}
