import { THREAD } from './layout.js';
import type { MonitorMemory } from './memory.js';
import { type Presence, presenceIn } from './presence.js';

const FREE = 0;

/**
 * Places for recording threads. A place outlives its thread with all that was counted there; the next thread goes on
 * adding. There is one writer at a time because a place is taken only when free or when its thread is gone.
 */
export class MonitorThreads {
  readonly #memory: MonitorMemory;
  readonly #presence: Presence;

  constructor(memory: MonitorMemory) {
    this.#memory = memory;
    this.#presence = presenceIn(memory);
  }

  /** What tells this thread from all others alive, in one word > 0. */
  get mark(): number {
    return this.#presence.mark;
  }

  /** Whether the thread that has this mark lives. */
  isMarkAlive(mark: number): boolean {
    return this.#presence.isMarkAlive(mark);
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
      if (!this.#presence.mayTake(thread, state)) continue;
      if (Atomics.compareExchange(words, record + THREAD.state, state, -this.mark) !== state) continue;
      this.#presence.signIn(thread);
      // Another number than last time, so that of two threads that found the same one dead only one gets its place.
      const claims = (words[record + THREAD.claims] & 0x3fffffff) + 1;
      words[record + THREAD.claims] = claims;
      Atomics.store(words, record + THREAD.state, claims);
      return thread;
    }
    return -1;
  }

  /** Gives a place back, -1 for none, and whatever tells that this thread lives. */
  release(thread: number): void {
    if (thread >= 0) Atomics.store(this.#memory.words, this.#record(thread) + THREAD.state, FREE);
    this.#presence.release();
  }

  #record(thread: number): number {
    return this.#memory.layout.threadsWord + thread * THREAD.words;
  }
}
