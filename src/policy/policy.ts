/**
 * The interface between the table and the eviction policies.
 *
 * An entry keeps its slot from insert to removal, so a policy names entries by slot. Per slot a policy has a mark byte and
 * two link words, and per shard an area of its own. All of this memory is type-stable: a late writer never hits anything
 * else.
 *
 * There are two kinds of state. Structure (links, list heads, counts) is written with `set`, which journals the old value, so
 * the death of a thread rolls it back. Advice (marks, ghosts, sketches, simulations) is written with plain stores. Readers
 * race with those, and a writer may die between two of them, so a policy must accept any value there.
 */

/** What the table gives a policy for one shard. All indices are relative to the shard's own memory. */
export interface PolicyMemory {
  /** The shard's words. Structure must not be stored to directly: use `set`. */
  readonly words: Int32Array;
  /** The same memory as bytes. */
  readonly bytes: Uint8Array;
  /** Journaled store. Only while the shard is locked, and at most 24 times between two commits. */
  set(word: number, value: number): void;
  /** Slots are numbered 0 to slotCount - 1. */
  readonly slotCount: number;
  /** Most entries the shard may hold: at most 0.75 x slotCount. */
  readonly capacityEntries: number;
  /** Entries held now. Exact under the lock, otherwise recent. */
  entryCount(): number;
  /** Byte index of the slot's mark. Lock-free readers store to it at any time, even just after the slot was given to another
   *  entry. Zero when the slot is filled. */
  markByte(slot: number): number;
  /** Word index of two words, words[w] and words[w + 1], that belong to the policy while the slot is filled. What they hold
   *  when it is filled is undefined. */
  linkWord(slot: number): number;
  /** The entry's 32-bit keyed hash (signed). Only for a filled slot, under the lock. */
  hashOf(slot: number): number;
  /** Word index of the entry's policy word. It is in the entry's head, which a reader has just touched, so reading it costs no
   *  cache miss. 0 when the entry is inserted, carried over when its value is replaced. Written under the lock with `set`, or
   *  plainly inside `insertLocked`, before the entry is visible. Only for a filled slot. The head's memory is reused for other
   *  entries: NEVER store to it from `hit`. */
  policyWord(slot: number): number;
  /** Whether the slot's entry is over: past its TTL, even if kept for a grace period, or ended by a tag. Victim searches ask it
   *  of the entries they look at, since such an entry is to go before any live one. Only for a filled slot, under the lock. */
  isOver(slot: number): boolean;
  /** First word of the policy's own area in this shard: `shardWords(capacityEntries)` words, zero at first. */
  readonly areaWord: number;
}

/** What all shards of one cache share. */
export interface PolicyShared {
  /** `globalWords(totalCapacityEntries)` words, zero at first. Advice only, plain access only. */
  readonly words: Int32Array;
  readonly totalCapacityEntries: number;
  readonly shardCount: number;
  /** Never waits. 'stolen': the owner died, so what the lock guards may be half-written and must be reset. */
  tryLock(): 'busy' | 'locked' | 'stolen';
  unlock(): void;
}

export interface EvictionPolicy {
  /** Whether every hit must be told. Else a thread tells the hits of its near-cache only now and then, which is cheaper. */
  readonly needsEveryHit: boolean;
  /** A hit. Lock-free, on the hot path of every get: stores a byte or two of marks at most. `entryWord` is the word index of
   *  the entry's policy word as the reader saw it. May run just after the slot was reused. */
  hit(slot: number, hash: number, entryWord: number): void;
  /** How recently the entry was used, from 0 (longest ago) to 1, as far as the policy knows. `written` is the place of its
   *  last write among the shard's, from 0 to 1. Lock-free and rough: it writes nothing, and in a race any answer will do. */
  recency(slot: number, entryWord: number, written: number): number;
  /** The slot has just been filled: link it. */
  insertLocked(slot: number, hash: number): void;
  /** The value of the slot's entry was replaced, which counts as an access. The slot stays the same. */
  updateLocked(slot: number, hash: number): void;
  /** The slot is about to be emptied: unlink it. `evicted` tells that a live entry was evicted, so a ghost remembers it; else
   *  it was deleted, or was over. */
  removeLocked(slot: number, evicted: boolean): void;
  /** One bounded step of an eviction. Returns the slot to evict, still linked, or -1 when the step only moved an entry. The
   *  caller then commits and calls again with `step` + 1. Step MAX_EVICTION_STEPS - 1 must return a slot. Called only with at
   *  least one entry in the shard. */
  victimLocked(step: number): number;
  /** Forgets every entry, for a clear: resets heads and counts with plain stores. No bucket refers to an entry any more, and a
   *  death restarts the clear. */
  resetLocked(): void;
  /** Walks the structure and reports broken invariants. `isFilled(slot)` tells which slots must be linked exactly once. */
  inspectLocked(isFilled: (slot: number) => boolean, problem: (message: string) => void): void;
}

export interface PolicyFactory {
  readonly name: string;
  /** Words of the area of a shard of that many entries. */
  shardWords(capacityEntries: number): number;
  /** Words that all shards share. */
  globalWords(totalCapacityEntries: number): number;
  create(memory: PolicyMemory, shared: PolicyShared): EvictionPolicy;
}

/** The recency of an entry whose mark byte counts its hits since some time: each brings it closer to the newest. */
export function recencyByHits(memory: PolicyMemory, slot: number, written: number): number {
  return 1 - (1 - written) / (1 + memory.bytes[memory.markByte(slot)]);
}

export const MAX_EVICTION_STEPS = 64;
