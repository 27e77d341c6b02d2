import { RECENT, THREAD } from './layout.js';
import type { MonitorMemory } from './memory.js';
import { Ring } from './ring.js';

export interface RecentRecord {
  timestamp: number;
  durationNs: number;
  sizeBytes: number;
  /** 2 * operation + success. */
  what: number;
  thread: number;
  epoch: number;
}

/** Recent metrics of one thread. */
export class RecentRing {
  readonly #memory: MonitorMemory;
  readonly #ring: Ring;

  constructor(memory: MonitorMemory, thread: number) {
    const { layout, dimensions } = memory;
    this.#memory = memory;
    this.#ring = new Ring(memory, {
      headWord: layout.threadsWord + thread * THREAD.words + THREAD.ringHead,
      firstDouble: layout.ringsDouble + thread * dimensions.retention * RECENT.doubles,
      length: dimensions.retention,
      recordDoubles: RECENT.doubles,
    });
  }

  write(timestamp: number, durationNs: number, sizeBytes: number, what: number, thread: number, epoch: number): void {
    const { doubles } = this.#memory;
    const at = this.#ring.begin();
    doubles[at + RECENT.timestamp] = timestamp;
    doubles[at + RECENT.durationNs] = durationNs;
    doubles[at + RECENT.sizeBytes] = sizeBytes;
    doubles[at + RECENT.what] = what;
    doubles[at + RECENT.thread] = thread;
    doubles[at + RECENT.epoch] = epoch;
    this.#ring.commit(at);
  }

  /** Whole records of the epoch, in no order. `validate` as in Ring. */
  read(epoch: number, since: number, validate = true): RecentRecord[] {
    const { doubles } = this.#memory;
    const copy = (at: number): RecentRecord => ({
      timestamp: doubles[at + RECENT.timestamp],
      durationNs: doubles[at + RECENT.durationNs],
      sizeBytes: doubles[at + RECENT.sizeBytes],
      what: doubles[at + RECENT.what],
      thread: doubles[at + RECENT.thread],
      epoch: doubles[at + RECENT.epoch],
    });
    return this.#ring.read(copy, validate).filter((record) => record.epoch === epoch && record.timestamp >= since);
  }
}
