import { SharedCacheError } from '../errors.js';
import { createLiveness, isAlive, isMarkAlive, type Liveness, markOf } from '../sync/liveness.js';
import type { RecordLocks } from '../sync/record-locks.js';
import { THREAD } from './layout.js';
import type { MonitorMemory } from './memory.js';

/** How recording threads know who of them lives. */
export interface Presence {
  /** What tells this thread from all others alive, in one word > 0. */
  readonly mark: number;
  isMarkAlive(mark: number): boolean;
  /** Whether this thread may take the place, whose record says `state`: it is free, or its thread is gone. */
  mayTake(thread: number, state: number): boolean;
  /** Writes into the record of a place that this thread has taken by what others know that it lives. */
  signIn(thread: number): void;
  release(): void;
}

/** Of threads of several processes: a lock for each place, and one for each thread that needs a mark. */
export interface MonitorLocks {
  readonly places: RecordLocks;
  readonly marks: RecordLocks;
}

const FREE = 0;
const MOST_MARKS = 2_048;

export function presenceIn(memory: MonitorMemory): Presence {
  return memory.locks === undefined ? new ThreadPresence(memory) : new LockPresence(memory.locks);
}

class ThreadPresence implements Presence {
  readonly #memory: MonitorMemory;
  readonly #liveness: Liveness = createLiveness();
  readonly #identity = new Int32Array(THREAD.identityWords);

  constructor(memory: MonitorMemory) {
    this.#memory = memory;
    this.#liveness.register(this.#identity, 0);
  }

  get mark(): number {
    return markOf(this.#identity, 0);
  }

  isMarkAlive(mark: number): boolean {
    return isMarkAlive(mark);
  }

  mayTake(thread: number, state: number): boolean {
    if (state === FREE) return true;
    return state > 0 ? !isAlive(this.#memory.words, this.#identityWord(thread)) : !isMarkAlive(-state);
  }

  signIn(thread: number): void {
    this.#memory.words.set(this.#identity, this.#identityWord(thread));
  }

  release(): void {
    this.#liveness.release();
  }

  #identityWord(thread: number): number {
    return this.#memory.layout.threadsWord + thread * THREAD.words + THREAD.identity;
  }
}

class LockPresence implements Presence {
  readonly #locks: MonitorLocks;
  #mark = 0;

  constructor(locks: MonitorLocks) {
    this.#locks = locks;
  }

  get mark(): number {
    for (let mark = 1; mark <= MOST_MARKS && this.#mark === 0; mark++)
      if (this.#locks.marks.tryTake(mark - 1)) this.#mark = mark;
    if (this.#mark > 0) return this.#mark;
    throw new SharedCacheError('ERR_TOO_MANY_THREADS', `${MOST_MARKS} threads name operations of this monitor`);
  }

  isMarkAlive(mark: number): boolean {
    return this.#locks.marks.isTaken(mark - 1);
  }

  /** The lock is the place: whoever has it is the only one, whatever the record says. */
  mayTake(thread: number): boolean {
    return this.#locks.places.tryTake(thread);
  }

  signIn(): void {}

  release(): void {
    this.#locks.places.release();
    this.#locks.marks.release();
    this.#mark = 0;
  }
}
