/**
 * The seam between the table and the eviction policies.
 *
 * A slot (a place in the index) keeps its entry from insert to removal, so a policy names entries by slot.
 * Whatever a policy keeps per slot lives in type-stable memory: the mark byte and the two link words of the slot,
 * and the policy's own area. Structure (links, heads, counts) is written with `set`, which journals the old value so
 * that a thread's death rolls it back; advice (marks, ghosts, sketches, simulations) may be written plainly, as long
 * as every possible value there is valid, because a reader may be racing or a writer may have died between two stores.
 */

/** What the table lends to a policy for one shard. All indices are relative to the shard's own memory. */
export interface PolicyMemory {
  /** The shard's words. Plain stores to structure are forbidden: use `set`. */
  readonly words: Int32Array;
  /** The same memory as bytes. */
  readonly bytes: Uint8Array;
  /** Journaled store, only while the shard is locked. At most 24 between two commits. */
  set(word: number, value: number): void;
  /** Number of slots; slots are numbered 0 .. slotCount - 1. */
  readonly slotCount: number;
  /** Most entries this shard may hold (at most 0.75 x slotCount). */
  readonly capacityEntries: number;
  /** Entries held now. Read under the lock it is exact, otherwise recent. */
  entryCount(): number;
  /** Byte index of the slot's mark: one byte that lock-free readers may store to at any time, even just after the slot
   *  was given to another entry. Zero when the slot is filled. */
  markByte(slot: number): number;
  /** Word index of two words (words[w] and words[w + 1]) that belong to the policy while the slot is filled;
   *  undefined content when it is filled. */
  linkWord(slot: number): number;
  /** The entry's 32-bit keyed hash (signed). Only for a filled slot, under the lock. */
  hashOf(slot: number): number;
  /** Word index of the entry's policy word, in the entry header the reader has just touched (so reading it costs no
   *  cache miss); 0 when the entry is inserted, carried over when its value is replaced. Written under the lock with
   *  `set`, or plainly inside `insertLocked` (the entry is not visible yet). Filled slot only. The header's memory is
   *  reused for other entries: NEVER store to it from `hit`. */
  policyWord(slot: number): number;
  /** Whether the slot's entry is over: past its TTL, even if kept for a grace period, or ended by a tag. Victim searches ask it
   *  of the entries they look at, since such an entry is to go before any live one. Only for a filled slot, under the lock. */
  isOver(slot: number): boolean;
  /** First word of the policy's own area in this shard, `shardWords(capacityEntries)` long, zeroed at first. */
  readonly areaWord: number;
}

/** What all shards of one cache share. */
export interface PolicyShared {
  /** `globalWords(totalCapacityEntries)` words, zeroed at first. Plain access only, advice only. */
  readonly words: Int32Array;
  readonly totalCapacityEntries: number;
  readonly shardCount: number;
  /** Never waits. 'stolen': taken from a thread that died holding it, so whatever it guards may be half-written: reset it. */
  tryLock(): 'busy' | 'locked' | 'stolen';
  unlock(): void;
}

export interface EvictionPolicy {
  /** Lock-free, on the hot path of every get hit: at most a byte or two of marks. `entryWord` is the word index of the
   *  entry's policy word as the reader saw it. May run just after the slot was reused. */
  hit(slot: number, hash: number, entryWord: number): void;
  /** The slot has just been filled; link it. Hash may be looked up in ghost and sketch. */
  insertLocked(slot: number, hash: number): void;
  /** The entry's value was replaced (a put of a present key): counts as an access. The slot stays. */
  updateLocked(slot: number, hash: number): void;
  /** The slot is about to be emptied: unlink it. `evicted`: by this policy's own choice (remember it in a ghost), else
   *  by delete, expiry or clear. */
  removeLocked(slot: number, evicted: boolean): void;
  /** One bounded step of an eviction. Returns the slot to evict (still linked), or -1 when the step only moved an entry;
   *  the caller commits after each step and calls again with `step` + 1, at most MAX_EVICTION_STEPS times; at the last
   *  one a slot must be returned. Called only with at least one entry in the shard. */
  victimLocked(step: number): number;
  /** Forget every entry at once (clear): reset heads and counts with plain stores; called in a state where no entry is
   *  linked any more from the index and death restarts the clear. */
  resetLocked(): void;
  /** Walk the structure and report broken invariants; `isFilled(slot)` tells which slots must be linked exactly once. */
  inspectLocked(isFilled: (slot: number) => boolean, problem: (message: string) => void): void;
}

export interface PolicyFactory {
  readonly name: string;
  /** Words of the area per shard for that many entries. */
  shardWords(capacityEntries: number): number;
  /** Words shared by all shards. */
  globalWords(totalCapacityEntries: number): number;
  create(memory: PolicyMemory, shared: PolicyShared): EvictionPolicy;
}

export const MAX_EVICTION_STEPS = 64;

/** The policy of a shard of no more entries hears of every hit, near-cache hits too. In larger ones a few may be left out. */
export const MAX_TOLD_ENTRIES = 64;
