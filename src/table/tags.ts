import { CONTROL, EXTRAS, NAMESPACES_SHIFT, TAGS_MASK, TAGS_WORD } from '../memory/layout.js';
import { wideAt } from '../memory/wide.js';

/** What invalidations can have done to an entry: nothing, cleared a namespace it is in, invalidated a tag it has. */
export const Fate = { none: 0, cleared: 1, invalidated: 2 } as const;
export type Fate = (typeof Fate)[keyof typeof Fate];

/**
 * Which tags were invalidated when, without a list of the entries that have them.
 *
 * Every invalidation gets a number, one more than the last. A fixed table holds, for each slot that a tag's hash falls into,
 * the number of the last invalidation there. An entry keeps the hashes of its tags and the number that was the last when its
 * write was begun: it is dead once the table has a higher number for one of them. A tag has two slots and both have to say
 * so (a count-min sketch: Cormode and Muthukrishnan, J. Algorithms 2005): other tags that share both invalidate too much,
 * which takes two of them or great bad luck, and nothing ever invalidates too little.
 *
 * Numbers are integers in f64, exact up to 2^53. They are written as their bits by 64-bit compare-and-swap (the bits of
 * positive doubles are ordered as the doubles are) and read plainly: an aligned f64 is one load. A thread that dies between
 * taking a number and storing it has not returned from its call, so nobody was promised anything.
 *
 * `clear()` is the invalidation of everything, with a word of its own; only loads look at it, since clear also empties the
 * table.
 */
export class Tags {
  readonly #doubles: Float64Array;
  readonly #bits: BigInt64Array;
  readonly #slotMask: number;

  constructor(words: Int32Array, doubles: Float64Array) {
    this.#doubles = doubles;
    this.#bits = new BigInt64Array(doubles.buffer, doubles.byteOffset, doubles.length);
    this.#slotMask = words[CONTROL.tagSlots] - 1;
  }

  /** The number of the last invalidation: what a write or a load that begins now keeps. */
  now(): number {
    return this.#doubles[CONTROL.invalidations >> 1];
  }

  /** From its return on, entries and loads that were begun before and have one of the tags are dead. */
  invalidate(hashes: readonly number[]): void {
    const number = this.#next();
    for (const hash of hashes) {
      this.#raise(this.#slot(hash), number);
      this.#raise(this.#slot(hash >>> 16), number);
    }
  }

  /** From its return on, every load that was begun before is overtaken. */
  invalidateLoads(): void {
    this.#raise(CONTROL.clearedAt >> 1, this.#next());
  }

  /** Whether a load that was begun at this number was overtaken: everything was cleared since, or one of its tags ended. */
  haveOvertaken(hashes: readonly number[], begun: number): boolean {
    return this.#doubles[CONTROL.clearedAt >> 1] > begun || this.isDead(hashes, begun);
  }

  /** Whether one of the tags was invalidated after this number. */
  isDead(hashes: readonly number[], begun: number): boolean {
    return hashes.some((hash) => this.#lastOf(hash) > begun);
  }

  /** What invalidations did to an entry with these extras. */
  fate(extras: Int32Array): Fate {
    const begun = wideAt(extras, EXTRAS.begun);
    if (begun === this.now()) return Fate.none;
    const counts = extras[EXTRAS.counts];
    const namespaces = counts >>> NAMESPACES_SHIFT;
    const all = namespaces + (counts & TAGS_MASK);
    for (let i = 0; i < all; i++) {
      if (this.#lastOf(extras[EXTRAS.headWords + i]) <= begun) continue;
      return i < namespaces ? Fate.cleared : Fate.invalidated;
    }
    return Fate.none;
  }

  /** The number of the tag's last invalidation, or a higher one. */
  #lastOf(hash: number): number {
    return Math.min(this.#doubles[this.#slot(hash)], this.#doubles[this.#slot(hash >>> 16)]);
  }

  #slot(hash: number): number {
    return (TAGS_WORD >> 1) + (hash & this.#slotMask);
  }

  /** The next number, which nobody else gets. */
  #next(): number {
    const at = CONTROL.invalidations >> 1;
    for (;;) {
      const before = Atomics.load(this.#bits, at);
      const next = toDouble(before) + 1;
      if (Atomics.compareExchange(this.#bits, at, before, toBits(next)) === before) return next;
    }
  }

  /** Stores the number unless a higher one is there: of two that race, the later one stays. */
  #raise(at: number, number: number): void {
    const bits = toBits(number);
    for (;;) {
      const before = Atomics.load(this.#bits, at);
      if (before >= bits || Atomics.compareExchange(this.#bits, at, before, bits) === before) return;
    }
  }
}

const double = new Float64Array(1);
const doubleBits = new BigInt64Array(double.buffer);

function toDouble(bits: bigint): number {
  doubleBits[0] = bits;
  return double[0];
}

function toBits(number: number): bigint {
  double[0] = number;
  return doubleBits[0];
}
