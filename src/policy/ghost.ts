import type { PolicyMemory } from './policy.js';

const WAYS = 8;
/** Fingerprints kept per entry of capacity: the table is hashed, so some room is lost to full sets. */
const ROOM = 1.5;
const AGE_BITS = 12;
const AGE_MASK = (1 << AGE_BITS) - 1;
/** Ages are counted in steps of a capacity / 256, so 4,095 of them cover far more than is ever remembered. */
const STEPS_PER_CAPACITY = 256;
/** Per step, how many of the keys that were evicted in it came back: a ring, so older keys than this are forgotten. */
const RING_STEPS = 512;
const CLOCK = 0;
const RING = 2;
const HEAD_WORDS = RING + RING_STEPS;

/**
 * Remembers which keys were evicted lately: fingerprints in eight-way sets, the oldest of a set giving way. A word is a
 * 20-bit fingerprint and a 12-bit age; zero is empty. Advice only: plain stores, and any content is valid.
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
      // An empty place counts as older than any age there is.
      const age = m[way] === 0 ? AGE_MASK + 1 : (step - m[way]) & AGE_MASK;
      if (age <= oldest) continue;
      oldest = age;
      place = way;
    }
    m[place] = fingerprint(hash) | step;
  }

  /** Whether the key is one of the last `window` that were evicted and did not come back since; if so it is forgotten. */
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

  /** How many keys a queue would hold that were evicted after that step; what came back is no longer in it. */
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

/** Never zero. Of the hash's low bits, mixed: its high bits chose the shard and the bucket. */
function fingerprint(hash: number): number {
  return (Math.imul(hash, 0x9e3779b1) & ~AGE_MASK) | (1 << AGE_BITS);
}
