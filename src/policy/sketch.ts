import type { PolicyMemory } from './policy.js';

const ROWS = 4;
const MOST = 15;
/** A block is a cache line. All counters of a key are in one block. */
const BLOCK_WORDS = 16;
const HEAD_WORDS = 3;
/** Sum of all counters. */
const MASS = 0;
const HAND = 1;
/** Accesses remembered: those counted, less the share that ageing took. */
const ACCESSES = 2;
/** A word holds eight 4-bit counters. With a third fewer of them, collisions cost loops up to a point of hit ratio. */
const WORDS_PER_ENTRY = 3;
/** Most accesses remembered, per entry of capacity. */
const MEMORY = 15;
/** Words halved per access while too many accesses are remembered. */
const HALVED_PER_ADD = 2;
const NIBBLES = 0x0f0f0f0f;

/**
 * How often keys were used lately, 0 to 15: a count-min sketch of 4-bit counters, as in TinyLFU (Einziger, Friedman and
 * Manes, ACM ToS 2017).
 *
 * Only the smallest of a key's counters are incremented (conservative update: Estan and Varghese, SIGCOMM 2002). The larger
 * ones count other keys already; incrementing them too costs loops a point of hit ratio.
 *
 * Ageing starts when too many accesses are remembered, and halves a few words per access instead of all at once. The number
 * of accesses does not follow from the counters, since a repeated key increments fewer of them than a new one. So it is kept
 * beside them, and reduced by the same share as the sum of all counters, odd counters included.
 *
 * Advice only: plain stores, and any content is valid.
 */
export class Sketch {
  readonly #memory: PolicyMemory;
  readonly #word: number;
  readonly #blocks: number;
  readonly #mostAccesses: number;

  constructor(memory: PolicyMemory, word: number) {
    this.#memory = memory;
    this.#word = word;
    this.#blocks = Sketch.#blocksFor(memory.capacityEntries);
    this.#mostAccesses = MEMORY * memory.capacityEntries;
  }

  static words(capacityEntries: number): number {
    return HEAD_WORDS + Sketch.#blocksFor(capacityEntries) * BLOCK_WORDS;
  }

  static #blocksFor(capacityEntries: number): number {
    return Math.max(1, Math.ceil((capacityEntries * WORDS_PER_ENTRY) / BLOCK_WORDS));
  }

  add(hash: number): void {
    const m = this.#memory.words;
    const block = this.#block(hash);
    let places = this.#places(hash);
    const least = this.#least(block, places);
    if (least === MOST) return;
    let added = 0;
    for (let row = 0; row < ROWS; row++) {
      const word = block + (places & 15);
      const shift = (places >>> 2) & 28;
      places >>>= 7;
      if (((m[word] >>> shift) & MOST) !== least) continue;
      m[word] = (m[word] + (1 << shift)) | 0;
      added++;
    }
    m[this.#word + MASS] += added;
    m[this.#word + ACCESSES]++;
    for (let i = 0; i < HALVED_PER_ADD && m[this.#word + ACCESSES] > this.#mostAccesses; i++) this.#halveNext();
  }

  frequency(hash: number): number {
    return this.#least(this.#block(hash), this.#places(hash));
  }

  reset(): void {
    this.#memory.words.fill(0, this.#word, this.#word + HEAD_WORDS + this.#blocks * BLOCK_WORDS);
  }

  /** The smallest of a key's counters. */
  #least(block: number, places: number): number {
    const m = this.#memory.words;
    let least = MOST;
    for (let row = 0, left = places; row < ROWS; row++, left >>>= 7) {
      const count = (m[block + (left & 15)] >>> ((left >>> 2) & 28)) & MOST;
      if (count < least) least = count;
    }
    return least;
  }

  #halveNext(): void {
    const m = this.#memory.words;
    const size = this.#blocks * BLOCK_WORDS;
    const hand = (m[this.#word + HAND] >>> 0) % size;
    const word = this.#word + HEAD_WORDS + hand;
    const before = m[word];
    m[word] = (before >>> 1) & 0x77777777;
    const mass = Math.max(1, m[this.#word + MASS]);
    const halved = sum(before) - sum(m[word]);
    m[this.#word + MASS] -= halved;
    m[this.#word + ACCESSES] -= Math.round((m[this.#word + ACCESSES] * halved) / mass);
    m[this.#word + HAND] = hand + 1;
  }

  #block(hash: number): number {
    const mixed = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
    return this.#word + HEAD_WORDS + ((((mixed >>> 0) * this.#blocks) / 2 ** 32) | 0) * BLOCK_WORDS;
  }

  /** Four times 7 bits: 4 for a word of the block, 3 for a counter in the word. */
  #places(hash: number): number {
    const mixed = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  }
}

/** The sum of a word's eight counters. */
function sum(word: number): number {
  return Math.imul((word & NIBBLES) + ((word >>> 4) & NIBBLES), 0x01010101) >>> 24;
}
