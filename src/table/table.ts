import { KeyEncoder } from '../codec/key.js';
import { SharedCacheError } from '../errors.js';
import type { Arena, ArenaBuffers, MappedFile } from '../memory/arena.js';
import { CONTROL, FLAG_FROZEN } from '../memory/layout.js';
import { classTables } from '../memory/size-classes.js';
import { EVICTION_NAMES, policies } from '../policy/index.js';
import type { PolicyFactory, PolicyShared } from '../policy/policy.js';
import { Place } from '../process/place.js';
import { Clock } from '../sync/clock.js';
import type { LockContext } from '../sync/mutex.js';
import { SLICE_MS, SLICE_OF_PROCESSES_MS, tryLockWord, unlockWord } from '../sync/mutex.js';
import { ThreadRegistry } from '../sync/threads.js';
import { Draft } from './draft.js';
import { NearObjects } from './near-objects.js';
import { type RunningLoads, Shard } from './shard.js';
import { Tags } from './tags.js';

const BUSY_BEFORE_DOUBT = 64;
/** How often a thread of several processes looks whether it is asked for a lock. */
const ASK_SLICE_MS = 100;

/** Tables of this thread by cache id: a thread that attaches twice is still one owner. */
const tables = new Map<string, Table>();

// Locks only: the user's own handlers may come after this one and use the cache. The record is found dead by the others.
process.on('exit', () => {
  for (const table of tables.values()) table.releaseAbandoned();
});

const NO_LOADS: RunningLoads = { overtake() {} };

/** How a thread attaches. */
export interface TableOptions {
  /** For a thread that is not one of the user's. */
  service?: boolean | undefined;
  /** This thread's clock, ms, instead of the machine's. */
  now?: (() => number) | undefined;
  /** Of the thread that has just opened the file. */
  place?: Place | undefined;
}

/** One thread's place in one cache: its owner number, its views of all shards, its counters, its key encoder and draft. */
export class Table {
  readonly arena: Arena;
  /** The thread's place at the file, when the cache's memory is one. */
  readonly place: Place | undefined;
  readonly registry: ThreadRegistry;
  readonly owner: number;
  readonly clock: Clock;
  readonly tags: Tags;
  readonly key: KeyEncoder;
  readonly draft: Draft;
  readonly shards: readonly Shard[];
  readonly counters: Float64Array;
  readonly lockContext: LockContext;
  /** What the thread keeps near, when the cache's values are frozen: all of the thread's cache objects hand out the same. */
  readonly frozen: NearObjects | undefined;
  readonly #shardShift: number;
  readonly #listeners = new Set<{ causes: number }>();
  #users = 0;

  private constructor(arena: Arena, service: boolean, place: Place | undefined) {
    const m = arena.words;
    const policy = policyOf(arena);
    this.arena = arena;
    this.place = place;
    this.registry = new ThreadRegistry(m, arena.doubles, arena.control, place?.threadRecords());
    this.clock = new Clock(m, arena.doubles);
    this.tags = new Tags(m, arena.doubles);
    this.key = new KeyEncoder(m[CONTROL.hashKey0], m[CONTROL.hashKey1]);
    this.draft = new Draft(this.key);
    const isFrozen = (m[CONTROL.flags] & FLAG_FROZEN) !== 0;
    this.frozen = isFrozen ? new NearObjects(arena.doubles[CONTROL.nearBytes >> 1]) : undefined;
    this.owner = this.registry.attach(service);
    this.counters = this.registry.counters(this.owner);
    this.lockContext = {
      owner: this.owner,
      registry: this.registry,
      lockTimeoutMs: m[CONTROL.lockTimeoutMs],
      sliceMs: place === undefined ? SLICE_MS : SLICE_OF_PROCESSES_MS,
      left: false,
    };
    const shardBits = Math.log2(arena.shards.length);
    this.#shardShift = 32 - shardBits;
    const context = {
      lock: this.lockContext,
      clock: this.clock,
      tags: this.tags,
      loads: NO_LOADS,
      counters: this.counters,
      control: m,
      tables: classTables(2 ** arena.geometry.pageShift, arena.geometry.classBytes),
      policy,
      policyShared: this.#policyShared(),
      shardBits,
      hashKey0: m[CONTROL.hashKey0],
      hashKey1: m[CONTROL.hashKey1],
    };
    this.shards = arena.shards.map((memory) => new Shard(memory, context));
    this.#listen();
  }

  /** The thread's table of the cache: made at the first attach, shared by the later ones. */
  static of(arena: Arena, { service = false, now, place }: TableOptions = {}): Table {
    let table = tables.get(arena.id);
    if (table === undefined) {
      table = Table.#create(arena, service, place);
      tables.set(arena.id, table);
    } else {
      // The thread has the cache already, by a mapping of its own.
      place?.close();
    }
    if (now !== undefined) table.clock.use(now);
    table.#users++;
    return table;
  }

  static #create(arena: Arena, service: boolean, given: Place | undefined): Table {
    const { buffers } = arena;
    const joined = (): Place | undefined =>
      buffers.file === undefined ? undefined : Place.join(buffers.file, mappedOf(buffers, buffers.file));
    const place = given ?? joined();
    try {
      return new Table(arena, service, place);
    } catch (error) {
      place?.close();
      throw error;
    }
  }

  shardOf(hash: number): Shard {
    // With one shard the shift is 32, which JavaScript takes for 0.
    return this.shards[this.#shardShift === 32 ? 0 : hash >>> this.#shardShift] as Shard;
  }

  /** From now on writes overtake the loads of this thread's flights, and of all others. */
  overtaking(loads: RunningLoads): void {
    for (const shard of this.shards) shard.loads = loads;
  }

  /** Live entries; expired ones not yet swept may count. */
  countEntries(): number {
    return this.shards.reduce((sum, shard) => sum + shard.countEntries(), 0);
  }

  /** Whether this thread's last attachment was closed. */
  get hasLeft(): boolean {
    return this.lockContext.left;
  }

  /** Has entries that leave by one of the causes (a bit each) told from now on; returns what ends that. */
  addListener(causes: number): () => void {
    const listener = { causes };
    this.#listeners.add(listener);
    this.#tellListening();
    return () => {
      if (this.#listeners.delete(listener) && !this.lockContext.left) this.#tellListening();
    };
  }

  /** What this thread listens for, and with the others' what writers tell. */
  #tellListening(): void {
    let causes = 0;
    for (const listener of this.#listeners) causes |= listener.causes;
    this.registry.setListening(this.owner, causes);
    this.refreshListening();
  }

  /** Forgets what threads listened for that have died. */
  refreshListening(): void {
    Atomics.store(this.arena.words, CONTROL.listening, this.registry.listening());
  }

  release(): void {
    if (--this.#users === 0) this.leave();
  }

  /** Repairs what this thread may have left locked and gives its record back. */
  leave(): void {
    if (this.lockContext.left) return;
    this.lockContext.left = true;
    tables.delete(this.arena.id);
    this.frozen?.release();
    this.releaseAbandoned();
    this.registry.setListening(this.owner, 0);
    if (this.arena.words[CONTROL.listening] !== 0) this.refreshListening();
    this.registry.detach(this.owner);
    Atomics.notify(this.registry.words, this.registry.askWord(this.owner));
    this.place?.close();
  }

  /**
   * Answers other threads that wait for a lock this thread holds but is not inside of (a vm timeout threw it out): any
   * lock that names it while its event loop turns is abandoned. The wait does not keep the process alive.
   */
  #listen(): void {
    const words = this.registry.words;
    const word = this.registry.askWord(this.owner);
    const answer = (): void => {
      if (this.lockContext.left) return;
      if (Atomics.exchange(words, word, 0) !== 0) this.releaseAbandoned();
      this.#listen();
    };
    // Another process cannot wake this one: then the word is looked at from time to time.
    const wait =
      this.place === undefined ? Atomics.waitAsync(words, word, 0) : Atomics.waitAsync(words, word, 0, ASK_SLICE_MS);
    if (wait.async) void wait.value.then(answer);
    else queueMicrotask(answer);
  }

  /** Repairs what names this thread as its owner while it is not inside. */
  releaseAbandoned(): void {
    for (const shard of this.shards) shard.releaseAbandoned();
    const m = this.arena.words;
    // What the leases' lock guards needs no repair.
    if (Atomics.load(m, CONTROL.leaseLock) === -this.owner) unlockWord(m, CONTROL.leaseLock);
  }

  #policyShared(): PolicyShared {
    const { arena } = this;
    const m = arena.words;
    const me = -this.owner;
    const lock = CONTROL.policyLock;
    let busyInARow = 0;
    return {
      words: m.subarray(arena.control.policyWord, arena.control.policyWord + arena.control.policyWords),
      totalCapacityEntries: totalCapacity(arena),
      shardCount: arena.shards.length,
      tryLock: () => {
        if (this.lockContext.left) return 'busy';
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

/** All memory that is mapped from the file. */
const mappedOf = ({ control, segments }: ArenaBuffers, { monitor }: MappedFile): SharedArrayBuffer[] =>
  monitor === undefined ? [control, ...segments] : [control, ...segments, monitor];

/** The cache's policy. Throws ERR_INVALID_HANDLE when there is none of its number, or no room for it. */
function policyOf(arena: Arena): PolicyFactory {
  const id = arena.words[CONTROL.evictionId];
  const policy = policies[EVICTION_NAMES[id]];
  if (policy === undefined) {
    throw new SharedCacheError(
      'ERR_INVALID_HANDLE',
      `the handle cannot be attached: its eviction policy is number ${id}, known are 0 to ${EVICTION_NAMES.length - 1}`,
    );
  }
  const most = Math.max(...arena.shards.map((shard) => shard.capacityEntries));
  if (
    policy.shardWords(most) > arena.geometry.policyWords ||
    policy.globalWords(totalCapacity(arena)) > arena.control.policyWords
  ) {
    throw new SharedCacheError('ERR_INVALID_HANDLE', 'the handle cannot be attached: its eviction policy has no room');
  }
  return policy;
}

function totalCapacity(arena: Arena): number {
  return arena.shards.reduce((sum, shard) => sum + shard.capacityEntries, 0);
}
