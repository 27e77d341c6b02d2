import type { PolicyMemory } from './policy.js';

const WAYS = 8;
/** Fingerprints kept per entry of capacity: the table is hashed, so some room is lost to full sets. */
const ROOM = 1.5;
const AGE_BITS = 12;
const AGE_MASK = (1 << AGE_BITS) - 1;
/** Ages are counted in steps of a capacity / 256, so 4,095 of them cover far more than is ever remembered. */
const STEPS_PER_CAPACITY = 256;
const HEAD_WORDS = 2;
const CLOCK = 0;

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
    const clock = (m[this.#word + CLOCK] + 1) | 0;
    m[this.#word + CLOCK] = clock;
    const step = this.#step();
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

  /** Whether the key is one of the last `window` that were evicted and not taken since; if so it is forgotten. */
  take(hash: number, window: number): boolean {
    const m = this.#memory.words;
    const set = this.#set(hash);
    const wanted = fingerprint(hash);
    for (let way = set; way < set + WAYS; way++) {
      if ((m[way] & ~AGE_MASK) !== wanted) continue;
      const recent = ((this.#step() - m[way]) & AGE_MASK) * this.#stepSize <= window;
      m[way] = 0;
      // A queue that lost a key is shorter, so what came before it is remembered for longer.
      if (recent) m[this.#word + CLOCK] = (m[this.#word + CLOCK] - 1) | 0;
      return recent;
    }
    return false;
  }

  reset(): void {
    this.#memory.words.fill(0, this.#word, this.#word + HEAD_WORDS + this.#sets * WAYS);
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
