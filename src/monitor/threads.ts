import { createLiveness, type Liveness } from '../sync/liveness.js';
import { THREAD } from './layout.js';
import type { MonitorMemory } from './memory.js';

const FREE = 0;
const ATTACHED = 1;

/**
 * Places for recording threads. A place outlives its thread with all that was counted there; the next thread goes on
 * adding. There is one writer at a time because a place is taken only when free or when its thread is gone.
 */
export class MonitorThreads {
  readonly #memory: MonitorMemory;
  readonly #liveness: Liveness = createLiveness();
  readonly #identity = new Int32Array(THREAD.identityWords);

  constructor(memory: MonitorMemory) {
    this.#memory = memory;
    this.#liveness.register(this.#identity, 0);
  }

  /** What tells this thread from all others alive, in one word > 0. */
  get mark(): number {
    return this.#identity[1];
  }

  /**
   * The lowest vacant place, or -1. Lowest first, the dead included, so that the histograms of ended threads are used
   * again before new ones are taken.
   */
  claim(): number {
    const { words, dimensions } = this.#memory;
    for (let thread = 0; thread < dimensions.threads; thread++) {
      const record = this.#record(thread);
      const state = Atomics.load(words, record + THREAD.state);
      if (!this.#isVacant(record, state)) continue;
      if (Atomics.compareExchange(words, record + THREAD.state, state, -this.mark) !== state) continue;
      words.set(this.#identity, record + THREAD.identity);
      Atomics.store(words, record + THREAD.state, ATTACHED);
      return thread;
    }
    return -1;
  }

  /** Gives a place back, -1 for none, and whatever tells that this thread lives. */
  release(thread: number): void {
    if (thread >= 0) Atomics.store(this.#memory.words, this.#record(thread) + THREAD.state, FREE);
    this.#liveness.release();
  }

  /** Whether the thread with that mark runs. */
  isMarkAlive(mark: number): boolean {
    // A zero start time stands for any: the mark is all that is known.
    const identity = new Int32Array(THREAD.identityWords);
    identity[0] = this.#identity[0];
    identity[1] = mark;
    return this.#liveness.isAlive(identity, 0);
  }

  #isVacant(record: number, state: number): boolean {
    if (state === FREE) return true;
    if (state < 0) return !this.isMarkAlive(-state);
    return !this.#liveness.isAlive(this.#memory.words, record + THREAD.identity);
  }

  #record(thread: number): number {
    return this.#memory.layout.threadsWord + thread * THREAD.words;
  }
}
