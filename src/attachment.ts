import { KeyEncoder } from './codec/key.js';
import { SharedCacheError } from './errors.js';
import type { Arena } from './memory/arena.js';
import { CONTROL, POLICY_GLOBAL_WORD } from './memory/layout.js';
import { classTables } from './memory/size-classes.js';
import { EVICTION_NAMES, policies } from './policy/index.js';
import type { PolicyShared } from './policy/policy.js';
import { Clock } from './sync/clock.js';
import type { LockContext } from './sync/mutex.js';
import { tryLockWord, unlockWord } from './sync/mutex.js';
import { ThreadRegistry } from './sync/threads.js';
import { Shard } from './table/shard.js';

const BUSY_BEFORE_DOUBT = 64;

/** Attachments of this thread by cache id: a thread that attaches twice is still one owner. */
const attachments = new Map<string, Attachment>();

process.on('exit', () => {
  for (const attachment of attachments.values()) attachment.leave();
});

/** One thread's place in one cache: its owner number, its views of all shards, its counters and its key encoder. */
export class Attachment {
  readonly arena: Arena;
  readonly registry: ThreadRegistry;
  readonly owner: number;
  readonly clock: Clock;
  readonly key: KeyEncoder;
  readonly shards: readonly Shard[];
  readonly counters: Float64Array;
  readonly lockContext: LockContext;
  readonly #shardShift: number;
  #users = 0;
  #left = false;

  private constructor(arena: Arena, service: boolean) {
    const m = arena.words;
    this.arena = arena;
    this.registry = new ThreadRegistry(m, arena.doubles);
    this.clock = new Clock(m, arena.doubles);
    this.key = new KeyEncoder(m[CONTROL.hashKey0], m[CONTROL.hashKey1]);
    const policy = policies[EVICTION_NAMES[m[CONTROL.evictionId]]];
    if (policy === undefined)
      throw new SharedCacheError(
        'ERR_INVALID_HANDLE',
        `the handle cannot be attached: its eviction policy is number ${m[CONTROL.evictionId]}, known are 0 to ${EVICTION_NAMES.length - 1}`,
      );
    const most = Math.max(...arena.shards.map((shard) => shard.capacityEntries));
    if (
      policy.shardWords(most) > arena.geometry.policyWords ||
      policy.globalWords(totalCapacity(arena)) > m[CONTROL.policyGlobalWords]
    ) {
      throw new SharedCacheError(
        'ERR_INVALID_HANDLE',
        'the handle cannot be attached: its eviction policy has no room',
      );
    }
    this.owner = this.registry.attach(service);
    this.counters = this.registry.counters(this.owner);
    this.lockContext = { owner: this.owner, registry: this.registry, lockTimeoutMs: m[CONTROL.lockTimeoutMs] };
    const shardBits = Math.log2(arena.shards.length);
    this.#shardShift = 32 - shardBits;
    const tables = classTables(2 ** arena.geometry.pageShift, arena.geometry.classBytes);
    const shared = this.#policyShared();
    this.shards = arena.shards.map(
      (memory) => new Shard(memory, tables, policy.create(memory, shared), shardBits, this.counters, this.lockContext),
    );
    this.#listen();
  }

  /** `service`: for a thread that is not one of the user's. */
  static of(arena: Arena, service = false): Attachment {
    let attachment = attachments.get(arena.id);
    if (attachment === undefined) {
      attachment = new Attachment(arena, service);
      attachments.set(arena.id, attachment);
    }
    attachment.#users++;
    return attachment;
  }

  shardOf(hash: number): Shard {
    // With one shard the shift is 32, which JavaScript takes for 0.
    return this.shards[this.#shardShift === 32 ? 0 : hash >>> this.#shardShift] as Shard;
  }

  release(): void {
    if (--this.#users === 0) this.leave();
  }

  /** Repairs what this thread may have left locked and gives its record back. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    attachments.delete(this.arena.id);
    this.#releaseAbandoned();
    this.registry.detach(this.owner);
    Atomics.notify(this.registry.words, this.registry.askWord(this.owner));
  }

  /**
   * Answers other threads that wait for a lock this thread holds but is not inside of (a vm timeout threw it out): any
   * lock that names it while its event loop turns is abandoned. The wait does not keep the process alive.
   */
  #listen(): void {
    const words = this.registry.words;
    const word = this.registry.askWord(this.owner);
    const answer = (): void => {
      if (this.#left) return;
      Atomics.store(words, word, 0);
      this.#releaseAbandoned();
      this.#listen();
    };
    const wait = Atomics.waitAsync(words, word, 0);
    if (wait.async) void wait.value.then(answer);
    else queueMicrotask(answer);
  }

  #releaseAbandoned(): void {
    for (const shard of this.shards) shard.releaseAbandoned();
    const m = this.arena.words;
    // What the leases' lock guards needs no repair.
    if (Atomics.load(m, CONTROL.leaseLock) === -this.owner) unlockWord(m, CONTROL.leaseLock);
  }

  #policyShared(): PolicyShared {
    const m = this.arena.words;
    const me = -this.owner;
    const lock = CONTROL.policyLock;
    let busyInARow = 0;
    return {
      words: m.subarray(POLICY_GLOBAL_WORD, POLICY_GLOBAL_WORD + m[CONTROL.policyGlobalWords]),
      totalCapacityEntries: totalCapacity(this.arena),
      shardCount: this.arena.shards.length,
      tryLock: () => {
        const word = Atomics.load(m, lock);
        if (tryLockWord(m, lock, word, me)) {
          busyInARow = 0;
          return 'locked';
        }
        // Whether an owner lives costs a system call: only worth asking about one that never seems to finish.
        if (word >= 0 || (word !== me && ++busyInARow % BUSY_BEFORE_DOUBT !== 0)) return 'busy';
        if (word !== me && !(this.registry.isDead(-word) && Atomics.compareExchange(m, lock, word, me) === word))
          return 'busy';
        return 'stolen';
      },
      unlock: () => unlockWord(m, lock),
    };
  }
}

function totalCapacity(arena: Arena): number {
  return arena.shards.reduce((sum, shard) => sum + shard.capacityEntries, 0);
}
