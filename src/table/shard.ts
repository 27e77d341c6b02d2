import { halfSipHash13 } from '../codec/hash.js';
import type { KeyEncoder } from '../codec/key.js';
import { Heap } from '../memory/heap.js';
import { BUCKET_WORDS, COUNTER, ENTRY, SHARD } from '../memory/layout.js';
import type { ShardMemory } from '../memory/shard-memory.js';
import type { ClassTables } from '../memory/size-classes.js';
import type { EvictionPolicy, PolicyFactory, PolicyShared } from '../policy/policy.js';
import type { Clock } from '../sync/clock.js';
import { type LockContext, lockSlow, nextVersion, refuseIfLeft, tryLockWord, unlockWord } from '../sync/mutex.js';
import { nextChunk } from './chain.js';
import { clearLocked } from './clear.js';
import { isChained, keyBytesOf, wordOf } from './entry.js';
import { isOverLocked } from './leave.js';
import { Reclaimer } from './reclaim.js';
import type { Tags } from './tags.js';

/** Chooses which evictions to time, and hears how long they took. */
export interface EvictionTiming {
  /** 0: do not time this one. Else how many it stands for. */
  due(): number;
  recordEviction(startMs: number, due: number): void;
}

/** What hears, under the shard's lock, that a key is written: a load of it that has begun is overtaken. */
export interface RunningLoads {
  overtake(key: KeyEncoder): void;
}

/** What all shards of one thread in one cache share. */
export interface ShardContext {
  readonly lock: LockContext;
  readonly clock: Clock;
  readonly tags: Tags;
  readonly loads: RunningLoads;
  readonly counters: Float64Array;
  /** The control buffer. */
  readonly control: Int32Array;
  readonly tables: ClassTables;
  readonly policy: PolicyFactory;
  readonly policyShared: PolicyShared;
  readonly shardBits: number;
  readonly hashKey0: number;
  readonly hashKey1: number;
}

/**
 * A lock domain of the table: index, heap and policy of the keys that hash here, as one thread sees them.
 *
 * Concurrency, once for all operations:
 *  - Writers hold the lock. Its word doubles as the version: an even number when free, minus the owner when held, and the
 *    next even number after. A reader that sees the same even number before and after its reads saw no writer.
 *  - Inside the lock every operation is a row of small transactions: journaled stores ended by `memory.commit()`. Bytes of
 *    new entries go to unreferenced blocks without journal; what makes them visible is one store of a ref. Short values
 *    are rewritten where they lie, their words journaled together.
 *  - A thread may die anywhere. Whoever finds the lock in a dead hand takes it over, undoes the open transaction, advances
 *    the version (a reader may have read half of what was undone) and finishes what `clearing`, `pending` and `dying` say
 *    was begun.
 *  - Nothing of the caller's runs while a lock is held, and a thread holds one shard's lock at a time.
 */
export class Shard {
  readonly memory: ShardMemory;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly bytes: Buffer;
  readonly heap: Heap;
  readonly policy: EvictionPolicy;
  readonly reclaimer = new Reclaimer();
  readonly counters: Float64Array;
  readonly clock: Clock;
  readonly tags: Tags;
  loads: RunningLoads;
  /** The control buffer. */
  readonly control: Int32Array;
  /** Times some of the evictions, when somebody wants to know. */
  timing: EvictionTiming | undefined = undefined;
  readonly bucketsWord: number;
  readonly bucketCount: number;
  readonly capacityEntries: number;
  readonly #lock: LockContext;
  readonly #me: number;
  readonly #shardBits: number;
  readonly #bucketScale: number;
  readonly #hashKey0: number;
  readonly #hashKey1: number;

  constructor(memory: ShardMemory, context: ShardContext) {
    this.memory = memory;
    this.words = memory.words;
    this.doubles = memory.doubles;
    this.bytes = memory.bytes;
    this.heap = new Heap(memory, context.tables);
    this.counters = context.counters;
    this.clock = context.clock;
    this.tags = context.tags;
    this.loads = context.loads;
    this.control = context.control;
    this.bucketsWord = memory.geometry.bucketsWord;
    this.bucketCount = memory.geometry.bucketCount;
    this.capacityEntries = memory.capacityEntries;
    this.#lock = context.lock;
    this.#me = -context.lock.owner;
    this.#shardBits = context.shardBits;
    this.#bucketScale = this.bucketCount / 2 ** 32;
    this.#hashKey0 = context.hashKey0;
    this.#hashKey1 = context.hashKey1;
    memory.isOver = (slot) => isOverLocked(this, slot);
    this.policy = context.policy.create(memory, context.policyShared);
  }

  /**
   * Takes the lock, repairing what a dead owner left; false when a live owner kept it for the whole lock timeout. Throws
   * ERR_CLOSED when this thread's attachment was given back.
   */
  lock(): boolean {
    if (this.#lock.left) refuseIfLeft(this.#lock);
    if (tryLockWord(this.words, SHARD.lock, this.words[SHARD.lock], this.#me)) return true;
    const outcome = lockSlow(this.words, SHARD.lock, this.#lock);
    if (outcome === 'timeout') {
      this.counters[COUNTER.lockTimeouts]++;
      return false;
    }
    if (outcome === 'stolen') this.recoverLocked();
    return true;
  }

  /** Runs the body under the lock, or gives `unavailable` when a live thread keeps it for the whole timeout. */
  locked<T>(unavailable: T, body: () => T): T {
    if (!this.lock()) return unavailable;
    let completed = false;
    try {
      const result = body();
      completed = true;
      return result;
    } finally {
      this.unlock(completed);
    }
  }

  /** What the lock word says now: while this thread holds the lock, that it does. */
  lockWord(): number {
    return this.words[SHARD.lock];
  }

  /** Ends a critical section. `completed` is false when an exception (a stack overflow, say) left it midway. */
  unlock(completed: boolean): void {
    if (!completed) this.recoverLocked();
    unlockWord(this.words, SHARD.lock);
  }

  /** Repairs the shard if its lock names this thread, which is not inside: called by an owner that was asked to. */
  releaseAbandoned(): void {
    if (Atomics.load(this.words, SHARD.lock) === this.#me) this.unlock(false);
  }

  /** Repairs the shard if its lock names a dead thread. */
  releaseDead(): void {
    const word = Atomics.load(this.words, SHARD.lock);
    if (word < 0 && word !== this.#me && this.#lock.registry.isDead(-word) && this.lock()) this.unlock(true);
  }

  recoverLocked(): void {
    const m = this.words;
    this.memory.rollback();
    m[SHARD.version] = nextVersion(m[SHARD.version]);
    m[SHARD.vacating] = 0;
    if (m[SHARD.clearing] !== 0) clearLocked(this);
    this.drainLocked(SHARD.pending);
    this.drainLocked(SHARD.dying);
    this.counters[COUNTER.recoveries]++;
  }

  /** Frees a chain of chunks, one transaction each, so that a death in between loses none. */
  drainLocked(rootWord: number): void {
    const m = this.words;
    // At most as many chunks as there are blocks of the smallest size: a corrupted cycle ends too.
    for (let left = m.length >> 3; m[rootWord] !== 0 && left > 0; left--) {
      const ref = m[rootWord];
      if (!this.heap.isBlock(ref)) {
        m[rootWord] = 0;
        return;
      }
      this.memory.set(rootWord, nextChunk(this, ref));
      this.heap.free(ref);
      this.memory.commit();
    }
  }

  /** Live entries; expired ones not yet swept may count. */
  countEntries(): number {
    return Math.max(0, this.words[SHARD.entries] - this.words[SHARD.past]);
  }

  /** The number of a new write, which no other write of the shard gets: an entry's version. Under the lock. */
  nextWriteLocked(): number {
    const write = this.doubles[SHARD.writes >> 1] + 1;
    this.doubles[SHARD.writes >> 1] = write;
    return write;
  }

  /** The hash of an entry found from the heap's side. Under the lock. */
  hashOfLocked(ref: number): number {
    const m = this.words;
    const word = wordOf(ref);
    const meta = m[word + ENTRY.meta];
    if (isChained(meta)) return m[word + ENTRY.hash];
    const key = m.subarray(word + ENTRY.headWords, word + ENTRY.headWords + ((keyBytesOf(meta) + 3) >> 2));
    return halfSipHash13(key, keyBytesOf(meta), this.#hashKey0, this.#hashKey1);
  }

  /** The bucket a key's search begins at, from the hash bits below those that chose the shard. */
  homeBucket(hash: number): number {
    return (((hash << this.#shardBits) >>> 0) * this.#bucketScale) | 0;
  }

  bucketWord(bucket: number): number {
    return this.bucketsWord + bucket * BUCKET_WORDS;
  }

  /** Ref of the slot's entry as a word index. */
  entryWord(slot: number): number {
    return wordOf(this.words[this.memory.refWord(slot)]);
  }
}
