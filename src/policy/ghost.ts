import type { PolicyMemory } from './policy.js';

const WAYS = 8;
/** Fingerprints per entry of capacity. More than one, since sets fill unevenly. */
const ROOM = 1.5;
const AGE_BITS = 12;
const AGE_MASK = (1 << AGE_BITS) - 1;
/** Ages are counted in steps of capacity / 256 evictions. 12 bits of them cover far more than is ever remembered. */
const STEPS_PER_CAPACITY = 256;
/** A ring of counts: of the keys evicted in each step, how many came back. Keys evicted before that are forgotten. */
const RING_STEPS = 512;
const CLOCK = 0;
const RING = 2;
const HEAD_WORDS = RING + RING_STEPS;

/**
 * The ghost queue: which keys were evicted lately. It holds fingerprints in eight-way sets and replaces the oldest of a set. A
 * word is a 20-bit fingerprint and a 12-bit age; zero is empty. Advice only: plain stores, and any content is valid.
 */
export class Ghost {
  readonly #memory: PolicyMemory;
  readonly #word: number;
  readonly #sets: number;
  readonly #stepSize: number;

  constructor(memory: PolicyMemory, word: number) {
    this.#memory = memory;
    this.#word = word;
    this.#sets = Ghost.#setsFor(memory.capacityEntries);
    this.#stepSize = Math.max(1, Math.floor(memory.capacityEntries / STEPS_PER_CAPACITY));
  }

  static words(capacityEntries: number): number {
    return HEAD_WORDS + Ghost.#setsFor(capacityEntries) * WAYS;
  }

  static #setsFor(capacityEntries: number): number {
    return Math.max(4, Math.ceil((capacityEntries * ROOM) / WAYS));
  }

  add(hash: number): void {
    const m = this.#memory.words;
    const before = this.#step();
    m[this.#word + CLOCK] = (m[this.#word + CLOCK] + 1) | 0;
    const step = this.#step();
    if (step !== before) m[this.#ringWord(step)] = 0;
    const set = this.#set(hash);
    let place = set;
    let oldest = -1;
    for (let way = set; way < set + WAYS && oldest <= AGE_MASK; way++) {
      // An empty place counts as older than any age.
      const age = m[way] === 0 ? AGE_MASK + 1 : (step - m[way]) & AGE_MASK;
      if (age <= oldest) continue;
      oldest = age;
      place = way;
    }
    m[place] = fingerprint(hash) | step;
  }

  /** Whether the key is among the last `window` evicted keys, not counting those that came back. Forgets the key. */
  take(hash: number, window: number): boolean {
    const m = this.#memory.words;
    const set = this.#set(hash);
    const wanted = fingerprint(hash);
    for (let way = set; way < set + WAYS; way++) {
      if ((m[way] & ~AGE_MASK) !== wanted) continue;
      const evictedIn = m[way] & AGE_MASK;
      const recent = this.#newer(evictedIn) <= window;
      if (recent) m[this.#ringWord(evictedIn)]++;
      m[way] = 0;
      return recent;
    }
    return false;
  }

  reset(): void {
    this.#memory.words.fill(0, this.#word, this.#word + HEAD_WORDS + this.#sets * WAYS);
  }

  /** How many keys a ghost queue would hold that were evicted after that step: without those that came back. */
  #newer(evictedIn: number): number {
    const steps = (this.#step() - evictedIn) & AGE_MASK;
    if (steps >= RING_STEPS) return Number.POSITIVE_INFINITY;
    let count = steps * this.#stepSize;
    for (let step = evictedIn + 1; step <= evictedIn + steps; step++) count -= this.#memory.words[this.#ringWord(step)];
    return count;
  }

  #ringWord(step: number): number {
    return this.#word + RING + (step & (RING_STEPS - 1));
  }

  #step(): number {
    return Math.floor((this.#memory.words[this.#word + CLOCK] >>> 0) / this.#stepSize) & AGE_MASK;
  }

  #set(hash: number): number {
    const mixed = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    return this.#word + HEAD_WORDS + ((((mixed >>> 0) * this.#sets) / 2 ** 32) | 0) * WAYS;
  }
}

/** Never zero. From the hash's low bits, since its high bits chose the shard and the bucket. */
function fingerprint(hash: number): number {
  return (Math.imul(hash, 0x9e3779b1) & ~AGE_MASK) | (1 << AGE_BITS);
}
