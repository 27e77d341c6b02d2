import { type EvictionPolicy, MAX_EVICTION_STEPS, type PolicyMemory } from './policy.js';

/** Words per node: next of its chain, hash, two links, policy word, mark. */
const NODE_WORDS = 6;
const NEXT = 0;
const HASH = 1;
const LINKS = 2;
const POLICY = 4;
const MARK = 5;
const BUCKETS_PER_ENTRY = 1.5;
/** A longer chain means that the words are corrupted. */
const LONGEST_CHAIN = 64;
const COUNT = 0;
const HEAD_WORDS = 1;

/**
 * A miniature simulation: a policy on a table of hashes, without keys and values. The words are shared by all threads and
 * guarded by a lock of the caller's. If a thread died in between and the words are corrupted, the simulation starts anew.
 */
export class MiniSimulation implements PolicyMemory {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly slotCount: number;
  readonly capacityEntries: number;
  readonly areaWord: number;
  readonly #word: number;
  readonly #buckets: number;
  readonly #nodesWord: number;
  #policy: EvictionPolicy | undefined;

  constructor(words: Int32Array, word: number, capacityEntries: number) {
    this.words = words;
    this.bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    this.capacityEntries = capacityEntries;
    this.slotCount = capacityEntries;
    this.#word = word;
    this.#buckets = MiniSimulation.#bucketsFor(capacityEntries);
    this.#nodesWord = word + HEAD_WORDS + this.#buckets;
    this.areaWord = this.#nodesWord + capacityEntries * NODE_WORDS;
  }

  /** Words of a simulation whose policy has an area of `policyWords`. */
  static words(capacityEntries: number, policyWords: number): number {
    return HEAD_WORDS + MiniSimulation.#bucketsFor(capacityEntries) + capacityEntries * NODE_WORDS + policyWords;
  }

  static #bucketsFor(capacityEntries: number): number {
    return Math.ceil(capacityEntries * BUCKETS_PER_ENTRY);
  }

  /** Sets the policy, which works on this simulation's memory. */
  use(policy: EvictionPolicy): void {
    this.#policy = policy;
  }

  set(word: number, value: number): void {
    this.words[word] = value;
  }

  entryCount(): number {
    return this.words[this.#word + COUNT];
  }

  hashOf(slot: number): number {
    return this.words[this.#node(slot) + HASH];
  }

  markByte(slot: number): number {
    return (this.#node(slot) + MARK) << 2;
  }

  linkWord(slot: number): number {
    return this.#node(slot) + LINKS;
  }

  policyWord(slot: number): number {
    return this.#node(slot) + POLICY;
  }

  /** Simulated entries never expire. */
  isOver(): boolean {
    return false;
  }

  /** Simulates a request: a hit, or a miss after which the key is inserted. Whether it was a hit. */
  access(hash: number): boolean {
    const policy = this.#policy as EvictionPolicy;
    const m = this.words;
    const bucket = this.#bucket(hash);
    let at = m[bucket];
    for (let i = 0; at !== 0; i++) {
      if (i === LONGEST_CHAIN) return this.#restart();
      if (this.hashOf(at - 1) === hash) {
        policy.hit(at - 1, hash, this.policyWord(at - 1));
        return true;
      }
      at = m[this.#node(at - 1) + NEXT];
    }
    const count = m[this.#word + COUNT];
    const slot = count < this.capacityEntries ? count : this.#evict(policy);
    if (slot < 0) return this.#restart();
    const node = this.#node(slot);
    m[node + NEXT] = m[bucket];
    m[node + HASH] = hash;
    m[node + POLICY] = 0;
    m[node + MARK] = 0;
    m[bucket] = slot + 1;
    m[this.#word + COUNT]++;
    policy.insertLocked(slot, hash);
    return false;
  }

  /** The slot of the entry it evicted, -1 if the words are corrupted. */
  #evict(policy: EvictionPolicy): number {
    for (let step = 0; step < MAX_EVICTION_STEPS; step++) {
      const slot = policy.victimLocked(step);
      if (slot === -1) continue;
      if (slot < 0 || slot >= this.slotCount || !this.#unchain(slot)) return -1;
      policy.removeLocked(slot, true);
      this.words[this.#word + COUNT]--;
      return slot;
    }
    return -1;
  }

  #unchain(slot: number): boolean {
    const m = this.words;
    let word = this.#bucket(this.hashOf(slot));
    for (let i = 0; i <= LONGEST_CHAIN && m[word] > 0; i++) {
      const node = this.#node(m[word] - 1);
      if (m[word] === slot + 1) {
        m[word] = m[node + NEXT];
        return true;
      }
      word = node + NEXT;
    }
    return false;
  }

  #restart(): false {
    this.words.fill(0, this.#word, this.areaWord);
    this.#policy?.resetLocked();
    return false;
  }

  #bucket(hash: number): number {
    const mixed = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return this.#word + HEAD_WORDS + ((((mixed >>> 0) * this.#buckets) / 2 ** 32) | 0);
  }

  #node(slot: number): number {
    return this.#nodesWord + slot * NODE_WORDS;
  }
}
