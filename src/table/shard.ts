import { Heap } from '../memory/heap.js';
import { BUCKET_WORDS, COUNTER, REF_SHIFT, SHARD } from '../memory/layout.js';
import type { ShardMemory } from '../memory/shard-memory.js';
import type { ClassTables } from '../memory/size-classes.js';
import type { EvictionPolicy } from '../policy/policy.js';
import { type LockContext, lockSlow, nextVersion, tryLockWord, unlockWord } from '../sync/mutex.js';
import { nextChunk } from './chain.js';
import { clearLocked } from './clear.js';

/** Chooses which evictions to time, and hears how long they took. */
export interface EvictionTiming {
  /** 0: do not time this one. Else how many it stands for. */
  due(): number;
  recordEviction(startMs: number, due: number): void;
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
  readonly counters: Float64Array;
  /** Times some of the evictions, when somebody wants to know. */
  timing: EvictionTiming | undefined = undefined;
  readonly bucketsWord: number;
  readonly bucketCount: number;
  readonly capacityEntries: number;
  readonly #context: LockContext;
  readonly #me: number;
  readonly #shardBits: number;
  readonly #bucketScale: number;

  constructor(
    memory: ShardMemory,
    tables: ClassTables,
    policy: EvictionPolicy,
    shardBits: number,
    counters: Float64Array,
    context: LockContext,
  ) {
    this.memory = memory;
    this.words = memory.words;
    this.doubles = memory.doubles;
    this.bytes = memory.bytes;
    this.heap = new Heap(memory, tables);
    this.policy = policy;
    this.counters = counters;
    this.bucketsWord = memory.geometry.bucketsWord;
    this.bucketCount = memory.geometry.bucketCount;
    this.capacityEntries = memory.capacityEntries;
    this.#context = context;
    this.#me = -context.owner;
    this.#shardBits = shardBits;
    this.#bucketScale = this.bucketCount / 2 ** 32;
  }

  /** Takes the lock, repairing what a dead owner left; false when a live owner kept it for the whole lock timeout. */
  lock(): boolean {
    if (tryLockWord(this.words, SHARD.lock, this.words[SHARD.lock], this.#me)) return true;
    const outcome = lockSlow(this.words, SHARD.lock, this.#context);
    if (outcome === 'timeout') {
      this.counters[COUNTER.lockTimeouts]++;
      return false;
    }
    if (outcome === 'stolen') this.recoverLocked();
    return true;
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
    if (word < 0 && word !== this.#me && this.#context.registry.isDead(-word) && this.lock()) this.unlock(true);
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

  /** The bucket a key's search begins at, from the hash bits below those that chose the shard. */
  homeBucket(hash: number): number {
    return (((hash << this.#shardBits) >>> 0) * this.#bucketScale) | 0;
  }

  bucketWord(bucket: number): number {
    return this.bucketsWord + bucket * BUCKET_WORDS;
  }

  /** Ref of the slot's entry as a word index. */
  entryWord(slot: number): number {
    return this.words[this.memory.refWord(slot)] << (REF_SHIFT - 2);
  }
}
