import { SharedCacheError } from '../errors.js';
import {
  COUNTERS,
  COUNTERS_WORD,
  MAX_GENERATION,
  MAX_THREADS,
  OWNER_INDEX_BITS,
  THREAD,
  THREAD_FREE,
  THREADS_WORD,
} from '../memory/layout.js';
import { createLiveness, isAlive, isMarkAlive, type Liveness, markOf } from './liveness.js';

const recordWord = (index: number): number => THREADS_WORD + index * THREAD.words;
const countersWord = (index: number): number => COUNTERS_WORD + index * COUNTERS * 2;

/**
 * Who is attached to a cache, who of them is alive, and what each has counted.
 *
 * A record goes free -> claimed -> attached -> free, or attached -> claimed when its thread died. The claim itself names
 * the claimer, so a thread that dies while attaching leaves a record that can be claimed again; and the attached state is
 * the generation, so that of two threads that found the same one dead, only one gets its record. Counters stay in the
 * record when its thread leaves, and the next thread there goes on counting: nothing is lost, nothing is copied.
 */
export class ThreadRegistry {
  readonly words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #liveness: Liveness = createLiveness();

  constructor(words: Int32Array, doubles: Float64Array) {
    this.words = words;
    this.#doubles = doubles;
  }

  /** Takes a record for the calling thread and returns its owner number, > 0. `service`: not one of the user's threads. */
  attach(service: boolean): number {
    const m = this.words;
    const identity = new Int32Array(THREAD.identityWords);
    this.#liveness.register(identity, 0);
    const index = this.#claim(-markOf(identity, 0));
    const record = recordWord(index);
    // A new generation first: from here on a lock word with the old number names a dead thread.
    const generation = ((m[record + THREAD.generation] >>> 0) % MAX_GENERATION) + 1;
    m[record + THREAD.generation] = generation;
    m[record + THREAD.ask] = 0;
    m[record + THREAD.service] = service ? 1 : 0;
    m[record + THREAD.blocked] = 0;
    m.set(identity, record + THREAD.identity);
    Atomics.store(m, record + THREAD.state, generation);
    return (generation << OWNER_INDEX_BITS) | index;
  }

  detach(owner: number): void {
    Atomics.store(this.words, recordWord(owner & (MAX_THREADS - 1)) + THREAD.state, THREAD_FREE);
    this.#liveness.release();
  }

  /** Whether the thread that got this owner number is gone. Takes microseconds: not for a hot path. */
  isDead(owner: number): boolean {
    const record = recordWord(owner & (MAX_THREADS - 1));
    if (Atomics.load(this.words, record + THREAD.generation) !== owner >> OWNER_INDEX_BITS) return true;
    return this.#isVacant(record);
  }

  /** Notes that the thread blocks until the key with these hashes is loaded. */
  block(owner: number, hash: number, identity: number): void {
    const record = recordWord(owner & (MAX_THREADS - 1));
    this.words[record + THREAD.blockedHash] = hash;
    this.words[record + THREAD.blockedIdentity] = identity;
    Atomics.store(this.words, record + THREAD.blocked, 1);
  }

  unblock(owner: number): void {
    Atomics.store(this.words, recordWord(owner & (MAX_THREADS - 1)) + THREAD.blocked, 0);
  }

  /** The hashes of the key whose load the thread blocks for, if it does. */
  blockedFor(owner: number): { hash: number; identity: number } | undefined {
    const record = recordWord(owner & (MAX_THREADS - 1));
    if (Atomics.load(this.words, record + THREAD.blocked) === 0) return undefined;
    return { hash: this.words[record + THREAD.blockedHash], identity: this.words[record + THREAD.blockedIdentity] };
  }

  askWord(owner: number): number {
    return recordWord(owner & (MAX_THREADS - 1)) + THREAD.ask;
  }

  /** The user's threads that are attached and alive. */
  countAttached(): number {
    let count = 0;
    for (let index = 0; index < MAX_THREADS; index++) {
      const record = recordWord(index);
      if (this.words[record + THREAD.service] === 0 && !this.#isVacant(record)) count++;
    }
    return count;
  }

  /** The owner's counters; one writer, so plain increments are exact. */
  counters(owner: number): Float64Array {
    const first = countersWord(owner & (MAX_THREADS - 1)) >> 1;
    return this.#doubles.subarray(first, first + COUNTERS);
  }

  /** Sum over all threads that ever counted. */
  total(counter: number): number {
    let sum = 0;
    for (let index = 0; index < MAX_THREADS; index++) sum += this.#doubles[(countersWord(index) >> 1) + counter];
    return sum;
  }

  #isVacant(record: number): boolean {
    const state = Atomics.load(this.words, record + THREAD.state);
    if (state === THREAD_FREE) return true;
    return state > 0 ? !isAlive(this.words, record + THREAD.identity) : !isMarkAlive(-state);
  }

  /** Free records first: asking whether a thread lives costs a system call. */
  #claim(mark: number): number {
    const m = this.words;
    for (let index = 0; index < MAX_THREADS; index++) {
      const word = recordWord(index) + THREAD.state;
      if (m[word] === THREAD_FREE && Atomics.compareExchange(m, word, THREAD_FREE, mark) === THREAD_FREE) return index;
    }
    for (let index = 0; index < MAX_THREADS; index++) {
      const word = recordWord(index) + THREAD.state;
      const state = Atomics.load(m, word);
      if (this.#isVacant(recordWord(index)) && Atomics.compareExchange(m, word, state, mark) === state) return index;
    }
    throw new SharedCacheError(
      'ERR_TOO_MANY_THREADS',
      `${MAX_THREADS} threads are attached to this cache, more are not allowed; close() caches that are no longer used`,
    );
  }
}
