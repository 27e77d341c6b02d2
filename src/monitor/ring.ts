import { readFence } from '../sync/seqlock.js';
import type { MonitorMemory } from './memory.js';

const MAX_SEQUENCE = 2 ** 31 - 1;

/** Where a thread's ring lies, and what it holds. */
interface RingPlace {
  /** Word that counts the records ever written, modulo 2^31. */
  readonly headWord: number;
  readonly firstDouble: number;
  /** Records there is room for. */
  readonly length: number;
  /** Doubles of a record; the first word of a record is its sequence, 0 while it is being written. */
  readonly recordDoubles: number;
}

/**
 * The last records of one thread: written by that thread alone, the oldest overwritten. A writer that dies in the middle leaves
 * a record without a sequence, which no reader takes and the next writer of the place writes over.
 */
export class Ring {
  readonly #memory: MonitorMemory;
  readonly #place: RingPlace;

  constructor(memory: MonitorMemory, place: RingPlace) {
    this.#memory = memory;
    this.#place = place;
  }

  /** Whether nothing was ever written. */
  get isEmpty(): boolean {
    return this.#memory.words[this.#place.headWord] === 0;
  }

  /** Opens the next record for its fields, and says at which double it begins. */
  begin(): number {
    const { words } = this.#memory;
    const { headWord, firstDouble, length, recordDoubles } = this.#place;
    const at = firstDouble + (words[headWord] % length) * recordDoubles;
    // Zero must be visible before any new field: on ARM only a load of the same word keeps later plain stores behind it.
    Atomics.exchange(words, at * 2, 0);
    Atomics.load(words, at * 2);
    return at;
  }

  /** Publishes the record that begin() opened. */
  commit(at: number): void {
    const { words } = this.#memory;
    const { headWord, length } = this.#place;
    const head = words[headWord];
    Atomics.store(words, at * 2, head + 1);
    // Back to a multiple of the ring's length, so that places stay in order; sequences stay positive.
    words[headWord] = head + 1 === MAX_SEQUENCE ? MAX_SEQUENCE % length : head + 1;
  }

  /**
   * What `copy` makes of each whole record, in no order. A record is taken only if its sequence was the same, and not zero,
   * before and after it was copied; one that is overwritten meanwhile is left out: it is no longer among the last. So `copy` may
   * be given anything, and must keep nothing of the memory. `validate: false` is the negative control of the tests: it lets torn
   * records through.
   */
  read<T>(copy: (at: number) => T, validate = true): T[] {
    const { words } = this.#memory;
    const { firstDouble, length, recordDoubles } = this.#place;
    const records: T[] = [];
    for (let i = 0; i < length; i++) {
      const at = firstDouble + i * recordDoubles;
      const before = Atomics.load(words, at * 2);
      if (before === 0) continue;
      const record = copy(at);
      readFence();
      if (validate && Atomics.load(words, at * 2) !== before) continue;
      records.push(record);
    }
    return records;
  }
}
