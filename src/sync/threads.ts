import { SharedCacheError } from '../errors.js';
import type { ControlGeometry } from '../memory/geometry.js';
import { COUNTERS, MAX_GENERATION, OWNER_INDEX_BITS, THREAD, THREAD_FREE } from '../memory/layout.js';
import { createLiveness, isAlive, isMarkAlive, type Liveness, markOf } from './liveness.js';
import type { RecordLocks } from './record-locks.js';

const INDEX_MASK = 2 ** OWNER_INDEX_BITS - 1;

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
  readonly #places: Pick<ControlGeometry, 'threadCount' | 'threadsWord' | 'countersWord'>;
  /** Where the threads are of several processes: who lives is told by locks on the records. */
  readonly #locks: RecordLocks | undefined;
  /** Else by what each thread says of itself. */
  readonly #liveness: Liveness | undefined;

  constructor(
    words: Int32Array,
    doubles: Float64Array,
    places: Pick<ControlGeometry, 'threadCount' | 'threadsWord' | 'countersWord'>,
    locks?: RecordLocks | undefined,
  ) {
    this.words = words;
    this.#doubles = doubles;
    this.#places = places;
    this.#locks = locks;
    this.#liveness = locks === undefined ? createLiveness() : undefined;
  }

  /** Takes a record for the calling thread and returns its owner number, > 0. `service`: not one of the user's threads. */
  attach(service: boolean): number {
    const m = this.words;
    const identity = new Int32Array(THREAD.identityWords);
    this.#liveness?.register(identity, 0);
    const index = this.#locks === undefined ? this.#claim(-markOf(identity, 0)) : this.#claimByLock(this.#locks);
    const record = this.#record(index);
    // A new generation first: from here on a lock word with the old number names a dead thread.
    const generation = ((m[record + THREAD.generation] >>> 0) % MAX_GENERATION) + 1;
    m[record + THREAD.generation] = generation;
    m[record + THREAD.ask] = 0;
    m[record + THREAD.service] = service ? 1 : 0;
    m[record + THREAD.blocked] = 0;
    m[record + THREAD.listening] = 0;
    m.set(identity, record + THREAD.identity);
    Atomics.store(m, record + THREAD.state, generation);
    return (generation << OWNER_INDEX_BITS) | index;
  }

  /** Gives the record back: from here on the owner number names a dead thread. */
  detach(owner: number): void {
    Atomics.store(this.words, this.#recordOf(owner) + THREAD.state, THREAD_FREE);
    this.#liveness?.release();
    this.#locks?.release();
  }

  /** Whether the thread that got this owner number is gone. Takes microseconds: not for a hot path. */
  isDead(owner: number): boolean {
    const generation = this.#recordOf(owner) + THREAD.generation;
    if (Atomics.load(this.words, generation) !== owner >> OWNER_INDEX_BITS) return true;
    return this.#isVacant(owner & INDEX_MASK);
  }

  /** Notes that the thread blocks until the key with these hashes is loaded. */
  block(owner: number, hash: number, identity: number): void {
    const record = this.#recordOf(owner);
    this.words[record + THREAD.blockedHash] = hash;
    this.words[record + THREAD.blockedIdentity] = identity;
    Atomics.store(this.words, record + THREAD.blocked, 1);
  }

  unblock(owner: number): void {
    Atomics.store(this.words, this.#recordOf(owner) + THREAD.blocked, 0);
  }

  /** The hashes of the key whose load the thread blocks for, if it does. */
  blockedFor(owner: number): { hash: number; identity: number } | undefined {
    const record = this.#recordOf(owner);
    if (Atomics.load(this.words, record + THREAD.blocked) === 0) return undefined;
    return { hash: this.words[record + THREAD.blockedHash], identity: this.words[record + THREAD.blockedIdentity] };
  }

  /** Notes for which causes of leaving (a bit each) the thread listens. */
  setListening(owner: number, causes: number): void {
    this.words[this.#recordOf(owner) + THREAD.listening] = causes;
  }

  /** For which causes some living thread listens. */
  listening(): number {
    let causes = 0;
    for (let index = 0; index < this.#places.threadCount; index++) {
      const record = this.#record(index);
      const own = this.words[record + THREAD.listening];
      if (own !== 0 && !this.#isVacant(index)) causes |= own;
    }
    return causes;
  }

  askWord(owner: number): number {
    return this.#recordOf(owner) + THREAD.ask;
  }

  /** The user's threads that are attached and alive. */
  countAttached(): number {
    let count = 0;
    for (let index = 0; index < this.#places.threadCount; index++) {
      const record = this.#record(index);
      if (this.words[record + THREAD.service] === 0 && !this.#isVacant(index)) count++;
    }
    return count;
  }

  /** The owner's counters; one writer, so plain increments are exact. */
  counters(owner: number): Float64Array {
    const first = this.#countersOf(owner & INDEX_MASK) >> 1;
    return this.#doubles.subarray(first, first + COUNTERS);
  }

  /** Sum over all threads that ever counted. */
  total(counter: number): number {
    let sum = 0;
    for (let index = 0; index < this.#places.threadCount; index++)
      sum += this.#doubles[(this.#countersOf(index) >> 1) + counter];
    return sum;
  }

  #record(index: number): number {
    return this.#places.threadsWord + index * THREAD.words;
  }

  #recordOf(owner: number): number {
    return this.#record(owner & INDEX_MASK);
  }

  #countersOf(index: number): number {
    return this.#places.countersWord + index * COUNTERS * 2;
  }

  #isVacant(index: number): boolean {
    const record = this.#record(index);
    const state = Atomics.load(this.words, record + THREAD.state);
    if (state === THREAD_FREE) return true;
    if (this.#locks !== undefined) return !this.#locks.isTaken(index);
    return state > 0 ? !isAlive(this.words, record + THREAD.identity) : !isMarkAlive(-state);
  }

  /** Free records first: asking whether a thread lives costs a system call. */
  #claim(mark: number): number {
    const m = this.words;
    for (let index = 0; index < this.#places.threadCount; index++) {
      const word = this.#record(index) + THREAD.state;
      if (m[word] === THREAD_FREE && Atomics.compareExchange(m, word, THREAD_FREE, mark) === THREAD_FREE) return index;
    }
    for (let index = 0; index < this.#places.threadCount; index++) {
      const word = this.#record(index) + THREAD.state;
      const state = Atomics.load(m, word);
      if (this.#isVacant(index) && Atomics.compareExchange(m, word, state, mark) === state) return index;
    }
    throw this.#tooMany();
  }

  /** The kernel gives each lock to one thread, and takes it from one that dies: what it gives is vacant. */
  #claimByLock(locks: RecordLocks): number {
    for (let index = 0; index < this.#places.threadCount; index++) if (locks.tryTake(index)) return index;
    throw this.#tooMany();
  }

  #tooMany(): SharedCacheError {
    return new SharedCacheError(
      'ERR_TOO_MANY_THREADS',
      `${this.#places.threadCount} threads are attached to this cache, more are not allowed; close() caches that are no longer used`,
    );
  }
}
