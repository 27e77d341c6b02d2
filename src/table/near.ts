import { ENTRY, REF_SHIFT } from '../memory/layout.js';
import type { Reading } from './get.js';
import type { Shard } from './shard.js';

const MIN_CAPACITY = 256;
const MAX_CAPACITY = 16_384;
/** One value may be near for so many bytes of the cache: with the usual 300 bytes a value, a fourteenth of it. */
const CACHE_BYTES_PER_PLACE = 4096;
const MAX_KEY_LENGTH = 128;
const MAX_STRING_LENGTH = 256;
/** Read counts per place, so that few keys share one. */
const COUNTS_PER_PLACE = 4;
/** Readings per place after which all counts of readings and hits are halved. */
const READINGS_PER_PLACE = 8;
const MOST_READS = 255;
/** The policy hears of a key again after so many of this thread's hits, or a 128th of the entries if that is less. */
const REPORT_AFTER = 4096;
const REPORT_SHIFT = 7;

export const NOT_NEAR = -1;

/** One place's numbers, in words; a cache line, so that a hit touches few. */
const PLACE = {
  /** The word that counts changes of the entry's hash, and what it said when the value was read. */
  changeWord: 0,
  changes: 1,
  shard: 2,
  slot: 3,
  hash: 4,
  policyWord: 5,
  /** Since the key came here; halved as often as the read counts are, `age` telling how often that was done. */
  hits: 6,
  age: 7,
  /** Number of this thread's hit from which on the policy is to hear of this key again. */
  reportAt: 8,
  /** f64 */
  expiresAt: 10,
  words: 16,
} as const;
const PLACE_SHIFT = 4;

/**
 * Values this thread has read lately and may hand out again without hashing, searching or copying: primitives only, since
 * no caller can change them; at most 16,384, of at most 256 characters each.
 *
 * It is coherent, not a second truth. Whoever changes an entry first adds one to the count that its hash shares with some
 * others, and only then changes it, all under the lock; so a count that is what it was when the value was read proves that
 * no change of the key has ended since. One plain load tells: what was kept does not change, so nothing can be torn. (A
 * count comes back after 2^32 changes; a value here would have to lie untouched for exactly that many.)
 *
 * Who stays: when all places are taken, a key gets the one under the hand if it was read more often than that one's key was
 * hit. So a scan leaves what is near alone, and what is near settles instead of churning.
 * (TinyLFU: Einziger, Friedman and Manes, "TinyLFU: A Highly Efficient Cache Admission Policy", ACM ToS 2017.)
 */
export class Near {
  readonly #shards: readonly Shard[];
  readonly #places = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly #values: unknown[] = [];
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  /** A power of two. */
  readonly #capacity: number;
  readonly #reportAfter: number;
  /** How often keys were read from the table, by hash. */
  readonly #reads: Uint8Array;
  #readings = 0;
  #age = 0;
  #hits = 0;
  #hand = 0;
  /** The place of the key that was sought last, current or not. */
  #sought = NOT_NEAR;

  constructor(shards: readonly Shard[], maxBytes: number) {
    const wanted = 2 ** Math.floor(Math.log2(maxBytes / CACHE_BYTES_PER_PLACE));
    const entries = shards.reduce((sum, { capacityEntries }) => sum + capacityEntries, 0);
    this.#shards = shards;
    this.#capacity = Math.min(MAX_CAPACITY, Math.max(MIN_CAPACITY, wanted));
    this.#reportAfter = Math.min(REPORT_AFTER, entries >> REPORT_SHIFT);
    this.#words = new Int32Array(this.#capacity << PLACE_SHIFT);
    this.#doubles = new Float64Array(this.#words.buffer);
    this.#reads = new Uint8Array(this.#capacity * COUNTS_PER_PLACE);
  }

  /** The place of the key's value if it is still what the table holds, else NOT_NEAR. The policy hears of the hit. */
  find(key: string): number {
    const place = this.#places.get(key) ?? NOT_NEAR;
    this.#sought = place;
    if (place === NOT_NEAR) return NOT_NEAR;
    const at = place << PLACE_SHIFT;
    const w = this.#words;
    const shard = this.#shards[w[at + PLACE.shard]];
    if (shard.words[w[at + PLACE.changeWord]] !== w[at + PLACE.changes]) return NOT_NEAR;
    w[at + PLACE.hits]++;
    // Reporting touches the key's bucket. What is hit again and again is safe from eviction with one report now and then.
    this.#hits = (this.#hits + 1) | 0;
    if (((this.#hits - w[at + PLACE.reportAt]) | 0) >= 0) {
      w[at + PLACE.reportAt] = this.#hits + this.#reportAfter;
      shard.policy.hit(w[at + PLACE.slot], w[at + PLACE.hash], w[at + PLACE.policyWord]);
    }
    return place;
  }

  value(place: number): unknown {
    return this.#values[place];
  }

  expiresAt(place: number): number {
    return this.#doubles[((place << PLACE_SHIFT) + PLACE.expiresAt) >> 1];
  }

  /**
   * Keeps what was just read of this shard, if it is small, no caller can change it, and it is read often enough. To be
   * called only after the same key was sought in vain.
   */
  remember(key: string, shard: Shard, reading: Reading, value: unknown): void {
    if (typeof value === 'object' || key.length > MAX_KEY_LENGTH) return;
    if (typeof value === 'string' && value.length > MAX_STRING_LENGTH) return;
    const reads = this.#countReading(reading.hash);
    const place = this.#sought === NOT_NEAR ? this.#makePlace(key, reads) : this.#sought;
    if (place === NOT_NEAR) return;
    const at = place << PLACE_SHIFT;
    const w = this.#words;
    this.#values[place] = value;
    w[at + PLACE.changeWord] = reading.changeWord;
    w[at + PLACE.changes] = reading.changes;
    w[at + PLACE.shard] = shard.memory.index;
    w[at + PLACE.slot] = reading.slot;
    w[at + PLACE.hash] = reading.hash;
    w[at + PLACE.policyWord] = (reading.ref << (REF_SHIFT - 2)) + ENTRY.policy;
    w[at + PLACE.reportAt] = this.#hits;
    this.#doubles[(at + PLACE.expiresAt) >> 1] = reading.expiresAt;
  }

  /** How often keys of this hash were read lately, this time included. */
  #countReading(hash: number): number {
    if (++this.#readings > this.#capacity * READINGS_PER_PLACE) {
      this.#readings = 0;
      this.#age++;
      for (let i = 0; i < this.#reads.length; i++) this.#reads[i] >>= 1;
    }
    const at = hash & (this.#reads.length - 1);
    const reads = Math.min(MOST_READS, this.#reads[at] + 1);
    this.#reads[at] = reads;
    return reads;
  }

  /** A free place, or the one under the hand if its key was hit less often than this one was read. */
  #makePlace(key: string, reads: number): number {
    const w = this.#words;
    let place = this.#keys.length;
    if (place === this.#capacity) {
      if (reads === 1) return NOT_NEAR;
      place = this.#hand;
      this.#hand = (place + 1) & (this.#capacity - 1);
      const at = place << PLACE_SHIFT;
      w[at + PLACE.hits] >>= Math.min(31, this.#age - w[at + PLACE.age]);
      w[at + PLACE.age] = this.#age;
      if (w[at + PLACE.hits] >= reads) return NOT_NEAR;
      this.#places.delete(this.#keys[place]);
    }
    this.#keys[place] = key;
    this.#places.set(key, place);
    w[(place << PLACE_SHIFT) + PLACE.hits] = reads;
    w[(place << PLACE_SHIFT) + PLACE.age] = this.#age;
    return place;
  }
}
