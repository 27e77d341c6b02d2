import { SHARD } from '../memory/layout.js';
import { isHitDue, NOT_NEAR } from './near-cache.js';
import type { Reading } from './read.js';
import type { Shard } from './shard.js';

/** One place's numbers, in words: a cache line. */
const PLACE = {
  hash: 0,
  /** The next place whose hash begins at the same head, or the next free one; 0 ends the list, else the place + 1. */
  next: 1,
  /** What the count of changes of the entry's hash said when the value was read. */
  changes: 2,
  /** Of the entry; its complement when the entry is extended. */
  slot: 3,
  policyWord: 4,
  /** How often it was found since the hand passed, at most MOST_USES. */
  uses: 5,
  /** How many new keys the shard had got when the policy last heard of this one. */
  reportedAt: 6,
  /** What it counts for. */
  bytes: 7,
  /** f64 */
  expiresAt: 8,
  /** f64: the entry's. */
  version: 10,
  /** f64, of an extended entry: the number of the last invalidation when the value was read. */
  invalidation: 12,
  words: 16,
} as const;
const PLACE_SHIFT = 4;
/** Of a place's contents: key, value and the id of its keyspace. */
const PARTS = 3;

const FIRST_PLACES = 256;
const MOST_USES = 3;
/** A value counts for its encoded bytes and its key's, but for no less than its place takes. */
const LEAST_BYTES = PLACE.words * 4;

/**
 * What this thread keeps near in a cache of frozen values: every value that nobody can change (primitives too), decoded once
 * and handed out again until its entry changes or its bytes are needed for others.
 *
 * Coherent by the count of changes, as NearCache explains. An entry has neighbours that share its count, and a touch or an
 * invalidation of another's tag says nothing of the value. So where the count differs, the entry is read, and its version
 * tells whether the value is still the one that was kept: then the same object is handed out, as promised.
 *
 * Every value gets a place, since a second get must find what the first one gave; a chained hash table has room for any set
 * of keys. What goes is chosen by the clock algorithm with two bits of use: the hand takes one use from each place it passes
 * and stops at the first that has none. (Corbato, "A Paging Experiment with the Multics System", 1968; several bits as in
 * Smith, "Sequentiality and Prefetching in Database Systems", ACM TODS 1978.)
 */
export class NearObjects {
  #limit: number;
  #kept = 0;
  /** By hash: a place + 1, 0 when none begins here. A power of two. */
  #heads = new Int32Array(0);
  #words = new Int32Array(0);
  #doubles = new Float64Array(0);
  #contents: unknown[] = [];
  /** Places that have been used at some time. */
  #places = 0;
  #free = 0;
  #hand = 0;

  /** Keeps at most `limit` bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that the kept values count for. */
  get keptBytes(): number {
    return this.#kept;
  }

  /** The place of the key's value if it is still what the table holds, else NOT_NEAR. The policy hears of the hit. */
  find(key: string, hash: number, shard: Shard, space: string): number {
    const place = this.#seek(key, hash, space);
    if (place === NOT_NEAR) return NOT_NEAR;
    const at = place << PLACE_SHIFT;
    const w = this.#words;
    if (shard.memory.changesOf(hash) !== w[at + PLACE.changes]) return NOT_NEAR;
    const isExtended = w[at + PLACE.slot] < 0;
    if (isExtended && this.#doubles[(at + PLACE.invalidation) >> 1] !== shard.tags.now()) return NOT_NEAR;
    if (w[at + PLACE.uses] < MOST_USES) w[at + PLACE.uses]++;
    if (isHitDue(shard, w[at + PLACE.reportedAt])) {
      w[at + PLACE.reportedAt] = shard.words[SHARD.inserts];
      const slot = w[at + PLACE.slot];
      shard.policy.hit(isExtended ? ~slot : slot, hash, w[at + PLACE.policyWord]);
    }
    return place;
  }

  value(place: number): unknown {
    return this.#contents[place * PARTS + 1];
  }

  expiresAt(place: number): number {
    return this.#doubles[((place << PLACE_SHIFT) + PLACE.expiresAt) >> 1];
  }

  /** The place of the key's value if it is of the version that was just read: it is current again from here on. */
  renew(key: string, space: string, reading: Reading): number {
    const place = this.#seek(key, reading.hash, space);
    if (place === NOT_NEAR) return NOT_NEAR;
    if (this.#doubles[((place << PLACE_SHIFT) + PLACE.version) >> 1] !== reading.version) return NOT_NEAR;
    this.#note(place, reading);
    return place;
  }

  /** Keeps the value of the reading, which must be one that nobody can change, if it is not larger than the bound. */
  remember(key: string, shard: Shard, space: string, reading: Reading, value: unknown): void {
    this.forget(key, reading.hash, space);
    const bytes = Math.max(LEAST_BYTES, key.length + reading.lengthBytes);
    if (bytes > this.#limit) return;
    this.#makeRoom(bytes);
    const place = this.#takePlace();
    const at = place << PLACE_SHIFT;
    const w = this.#words;
    const head = reading.hash & (this.#heads.length - 1);
    w[at + PLACE.hash] = reading.hash;
    w[at + PLACE.next] = this.#heads[head];
    this.#heads[head] = place + 1;
    w[at + PLACE.uses] = 0;
    w[at + PLACE.bytes] = bytes;
    this.#kept += bytes;
    const first = place * PARTS;
    this.#contents[first] = key;
    this.#contents[first + 1] = value;
    this.#contents[first + 2] = space;
    w[at + PLACE.reportedAt] = shard.words[SHARD.inserts];
    this.#note(place, reading);
  }

  /** Keeps the primitive that this thread has just stored if the key is one of those near; of an object lets the old go. */
  wrote(key: string, shard: Shard, space: string, stored: Reading, value: unknown): void {
    if (this.#seek(key, stored.hash, space) === NOT_NEAR) return;
    if (typeof value === 'object' && value !== null) this.forget(key, stored.hash, space);
    else this.remember(key, shard, space, stored, value);
  }

  /** Lets go of the key's value. */
  forget(key: string, hash: number, space: string): void {
    const place = this.#seek(key, hash, space);
    if (place !== NOT_NEAR) this.#empty(place);
  }

  /** Lets go of everything, and keeps nothing any more. */
  release(): void {
    this.#limit = 0;
    this.#kept = 0;
    this.#heads = new Int32Array(0);
    this.#words = new Int32Array(0);
    this.#doubles = new Float64Array(0);
    this.#contents = [];
    this.#places = 0;
    this.#free = 0;
    this.#hand = 0;
  }

  #seek(key: string, hash: number, space: string): number {
    const w = this.#words;
    const heads = this.#heads;
    if (heads.length === 0) return NOT_NEAR;
    for (let next = heads[hash & (heads.length - 1)]; next !== 0; ) {
      const place = next - 1;
      const at = place << PLACE_SHIFT;
      if (w[at + PLACE.hash] === hash && this.#contents[place * PARTS] === key) {
        if (this.#contents[place * PARTS + 2] === space) return place;
      }
      next = w[at + PLACE.next];
    }
    return NOT_NEAR;
  }

  /** What proves the value current, when it ends, and where the policy finds the entry. */
  #note(place: number, reading: Reading): void {
    const at = place << PLACE_SHIFT;
    const w = this.#words;
    const d = this.#doubles;
    w[at + PLACE.changes] = reading.changes;
    w[at + PLACE.slot] = reading.isExtended ? ~reading.slot : reading.slot;
    w[at + PLACE.policyWord] = reading.policyWord;
    d[(at + PLACE.expiresAt) >> 1] = reading.expiresAt;
    d[(at + PLACE.version) >> 1] = reading.version;
    d[(at + PLACE.invalidation) >> 1] = reading.invalidation;
  }

  /** Moves the hand until so many bytes more are within the bound. After MOST_USES turns no place has a use left. */
  #makeRoom(bytes: number): void {
    for (let left = this.#places * (MOST_USES + 1); left > 0 && this.#kept + bytes > this.#limit; left--) {
      const place = this.#hand;
      this.#hand = place + 1 < this.#places ? place + 1 : 0;
      if (this.#contents[place * PARTS] === undefined) continue;
      const uses = (place << PLACE_SHIFT) + PLACE.uses;
      if (this.#words[uses] === 0) this.#empty(place);
      else this.#words[uses]--;
    }
  }

  #empty(place: number): void {
    const w = this.#words;
    const at = place << PLACE_SHIFT;
    const heads = this.#heads;
    const head = w[at + PLACE.hash] & (heads.length - 1);
    const after = w[at + PLACE.next];
    if (heads[head] === place + 1) {
      heads[head] = after;
    } else {
      let before = heads[head] - 1;
      while (w[(before << PLACE_SHIFT) + PLACE.next] !== place + 1)
        before = w[(before << PLACE_SHIFT) + PLACE.next] - 1;
      w[(before << PLACE_SHIFT) + PLACE.next] = after;
    }
    this.#kept -= w[at + PLACE.bytes];
    this.#contents.fill(undefined, place * PARTS, place * PARTS + PARTS);
    w[at + PLACE.next] = this.#free;
    this.#free = place + 1;
  }

  #takePlace(): number {
    if (this.#free !== 0) {
      const place = this.#free - 1;
      this.#free = this.#words[(place << PLACE_SHIFT) + PLACE.next];
      return place;
    }
    if (this.#places << PLACE_SHIFT === this.#words.length) this.#grow();
    return this.#places++;
  }

  /** Twice the places, and as many heads. Called when every place is in use. */
  #grow(): void {
    const places = Math.max(FIRST_PLACES, 2 * this.#places);
    const words = new Int32Array(places << PLACE_SHIFT);
    words.set(this.#words);
    this.#words = words;
    this.#doubles = new Float64Array(words.buffer);
    // Elements that exist: storing to them asks no prototype.
    const contents = this.#contents;
    this.#contents = Array.from({ length: places * PARTS }, (_, i) => contents[i]);
    this.#heads = new Int32Array(places);
    for (let place = 0; place < this.#places; place++) {
      const at = place << PLACE_SHIFT;
      const head = words[at + PLACE.hash] & (places - 1);
      words[at + PLACE.next] = this.#heads[head];
      this.#heads[head] = place + 1;
    }
  }
}
