import { readFence } from '../sync/seqlock.js';
import { RECENT, THREAD } from './layout.js';
import type { MonitorMemory } from './memory.js';

const MAX_SEQUENCE = 2 ** 31 - 1;

export interface RecentRecord {
  timestamp: number;
  durationNs: number;
  sizeBytes: number;
  /** 2 * operation + success. */
  what: number;
  thread: number;
}

/** Recent metrics of one thread: written by that thread alone, the oldest overwritten. */
export class RecentRing {
  readonly #memory: MonitorMemory;
  readonly #headWord: number;
  readonly #first: number;

  constructor(memory: MonitorMemory, thread: number) {
    this.#memory = memory;
    this.#headWord = memory.layout.threadsWord + thread * THREAD.words + THREAD.ringHead;
    this.#first = memory.layout.ringsDouble + thread * memory.dimensions.retention * RECENT.doubles;
  }

  write(timestamp: number, durationNs: number, sizeBytes: number, what: number, thread: number, epoch: number): void {
    const { words, doubles, dimensions } = this.#memory;
    const head = words[this.#headWord];
    const at = this.#first + (head % dimensions.retention) * RECENT.doubles;
    const sequence = at * 2;
    // Zero must be visible before any new field: on ARM only a load of the same word keeps later plain stores behind it.
    Atomics.exchange(words, sequence, 0);
    Atomics.load(words, sequence);
    doubles[at + RECENT.timestamp] = timestamp;
    doubles[at + RECENT.durationNs] = durationNs;
    doubles[at + RECENT.sizeBytes] = sizeBytes;
    doubles[at + RECENT.what] = what;
    doubles[at + RECENT.thread] = thread;
    doubles[at + RECENT.epoch] = epoch;
    Atomics.store(words, sequence, head + 1);
    // Back to a multiple of the ring's length, so that places stay in order; sequences stay positive.
    words[this.#headWord] = head + 1 === MAX_SEQUENCE ? MAX_SEQUENCE % dimensions.retention : head + 1;
  }

  /**
   * Whole records of the epoch, in no order. A record is taken only if its sequence was the same, and not zero, before and
   * after its fields were copied; one that is overwritten meanwhile is left out: it is no longer among the recent.
   * `validate: false` is the negative control of the tests: it lets torn records through.
   */
  read(epoch: number, since: number, validate = true): RecentRecord[] {
    const { words, doubles, dimensions } = this.#memory;
    const records: RecentRecord[] = [];
    for (let i = 0; i < dimensions.retention; i++) {
      const at = this.#first + i * RECENT.doubles;
      const before = Atomics.load(words, at * 2);
      if (before === 0) continue;
      const record = {
        timestamp: doubles[at + RECENT.timestamp],
        durationNs: doubles[at + RECENT.durationNs],
        sizeBytes: doubles[at + RECENT.sizeBytes],
        what: doubles[at + RECENT.what],
        thread: doubles[at + RECENT.thread],
      };
      const recordEpoch = doubles[at + RECENT.epoch];
      readFence();
      if (validate && Atomics.load(words, at * 2) !== before) continue;
      if (recordEpoch === epoch && record.timestamp >= since) records.push(record);
    }
    return records;
  }
}
