import { ValueKind } from '../codec/kinds.js';
import { hasReferences } from '../codec/plain-format.js';
import { copyTree, shapeOfTree, type TreeShape } from '../codec/trees.js';
import { SHARD } from '../memory/layout.js';
import type { Reading } from './read.js';
import type { Shard } from './shard.js';

const MIN_CAPACITY = 256;
const MAX_CAPACITY = 32_768;
/** One value may be near for so many bytes of the cache: with the usual 200 bytes a value, a tenth of it. */
const CACHE_BYTES_PER_PLACE = 2048;
/** Places a key may have: those of its set. */
const WAYS = 4;
const MAX_KEY_LENGTH = 128;
const MAX_STRING_LENGTH = 256;
/** Hits of an object that were worth keeping it. */
const USEFUL_HITS = 2;
/** Encoded bytes of an object. */
const MAX_TREE_BYTES = 512;
/** Read counts per place, so that few keys share one. */
const COUNTS_PER_PLACE = 4;
/** Readings per place after which all counts of readings and hits are halved. */
const READINGS_PER_PLACE = 8;
const MOST_READS = 255;
/** The policy hears of a key again when the shard has got new keys for so small a part of its capacity: a 1024th. */
const REPORT_SHIFT = 10;

export const NOT_NEAR = -1;

/**
 * Whether the policy is to hear of a hit near its reader, having heard of the key when the shard had got so many new keys.
 * Telling it touches the key's bucket and entry. Only new keys push others out, and a few of them nobody who was hit.
 */
export function isHitDue(shard: Shard, reportedAt: number): boolean {
  const newKeys = (shard.words[SHARD.inserts] - reportedAt) | 0;
  return newKeys > shard.capacityEntries >> REPORT_SHIFT || shard.policy.needsEveryHit;
}

/** One place's numbers, in words; half a cache line, so that a hit touches few. */
const PLACE = {
  /** What the count of changes of the entry's hash said when the value was read. */
  changes: 0,
  /** Of the entry; its complement when the entry is extended, so there is more to look at. */
  slot: 1,
  policyWord: 2,
  /** Since the key came here; halved as often as the read counts are, `age` telling how often that was done. */
  hits: 3,
  age: 4,
  /** How many new keys the shard had got when the policy last heard of this one. */
  reportedAt: 5,
  /** f64 */
  expiresAt: 6,
  words: 8,
} as const;
const PLACE_SHIFT = 3;
/** Of a place's contents. */
const PARTS = 3;

/**
 * Values this thread has read lately and may hand out again without searching the table: primitives, which no caller can
 * change, and small objects, of which each caller gets a copy of its own; at most 32,768, of at most 256 characters or 512 encoded
 * bytes each.
 *
 * It is coherent, not a second truth. Whoever changes an entry first adds one to the count that its hash shares with some
 * others, and only then changes it, all under the lock; so a count that is what it was when the value was read proves that
 * no change of the key has ended since. One plain load tells: what was kept does not change, so nothing can be torn. (A
 * count comes back after 2^32 changes; a value here would have to lie untouched for exactly that many.) Where the entry
 * was, for the policy, may be out of date: that is advice.
 *
 * The places are sets of four, like a processor's cache, found by the key's hash, which a search of the table would need as
 * well. A `Map` would have to be asked first, and finds a key more slowly than it is hashed as soon as it holds some ten
 * thousand: it compares the characters of whatever else is in its bucket.
 *
 * Who stays: in a full set a key gets the place of the key that was hit least, if it was read more often than that one was
 * hit. So a scan leaves what is near alone, and what is near settles instead of churning.
 * (TinyLFU: Einziger, Friedman and Manes, "TinyLFU: A Highly Efficient Cache Admission Policy", ACM ToS 2017.)
 */
export class NearCache {
  readonly #capacity: number;
  #setMask = 0;
  /** The hash of each place's key, 0 while it is empty; a set's four lie together. */
  #hashes = new Int32Array(WAYS);
  /** Each place's key, value and, of an object, shape, one after the other; undefined while it is empty. */
  #contents: unknown[] = [];
  #words = new Int32Array(0);
  #doubles = new Float64Array(0);
  /** Of extended entries: which keyspace's key it is, and the number of the last invalidation when the value was read. */
  #spaces: string[] = [];
  #invalidations = new Float64Array(0);
  /** Of entries that are objects: the one read last, below zero when it must be read twice more; NaN in a new place. */
  #versions = new Float64Array(0);
  /** How often the key had been hit when its object was kept. */
  #keptAt = new Int32Array(0);
  /** How often keys were read from the table, by hash. */
  #reads = new Uint8Array(0);
  #readings = 0;
  #age = 0;
  /** The place of the key that was sought last, current or not. */
  #sought = NOT_NEAR;

  constructor(maxBytes: number) {
    const wanted = 2 ** Math.floor(Math.log2(maxBytes / CACHE_BYTES_PER_PLACE));
    this.#capacity = Math.min(MAX_CAPACITY, Math.max(MIN_CAPACITY, wanted));
  }

  /**
   * The place of the key's value if it is still what the table holds, else NOT_NEAR. The policy hears of the hit. `space`
   * is the keyspace's id: empty for the cache itself.
   */
  find(key: string, hash: number, shard: Shard, space: string): number {
    const place = this.#seek(key, hash);
    this.#sought = place;
    if (place === NOT_NEAR) return NOT_NEAR;
    const at = place << PLACE_SHIFT;
    const w = this.#words;
    if (shard.memory.changesOf(hash) !== w[at + PLACE.changes]) return NOT_NEAR;
    const extended = w[at + PLACE.slot] < 0;
    if (extended ? !this.#isCurrent(place, shard, space) : space !== '') return NOT_NEAR;
    w[at + PLACE.hits]++;
    if (isHitDue(shard, w[at + PLACE.reportedAt])) {
      w[at + PLACE.reportedAt] = shard.words[SHARD.inserts];
      const slot = w[at + PLACE.slot];
      shard.policy.hit(extended ? ~slot : slot, hash, w[at + PLACE.policyWord]);
    }
    return place;
  }

  /** An extended entry stays near as long as nothing at all is invalidated: its tags are not looked up here. */
  #isCurrent(place: number, shard: Shard, space: string): boolean {
    return this.#spaces[place] === space && this.#invalidations[place] === shard.tags.now();
  }

  /** The value; of an object a copy, which is the caller's own. */
  value(place: number): unknown {
    const at = place * PARTS;
    const shape = this.#contents[at + 2];
    const kept = this.#contents[at + 1];
    return shape === undefined ? kept : copyTree(kept as object, shape as TreeShape);
  }

  expiresAt(place: number): number {
    return this.#doubles[((place << PLACE_SHIFT) + PLACE.expiresAt) >> 1];
  }

  /**
   * Keeps what was just read, if it is small and read often enough: a primitive or an object. To be called only
   * after the same key was sought in vain.
   */
  remember(key: string, shard: Shard, space: string, reading: Reading, value: unknown): void {
    const isTree = typeof value === 'object' && value !== null;
    if (!(isTree ? isSmallTree(reading) : isSmallPrimitive(value)) || key.length > MAX_KEY_LENGTH) return;
    if (this.#reads.length === 0) this.#makePlaces();
    const reads = this.#countReading(reading.hash);
    const place = this.#sought === NOT_NEAR ? this.#makePlace(key, reading.hash, reads) : this.#sought;
    if (place === NOT_NEAR) return;
    if (isTree) this.#rememberTree(place, shard, space, reading, value);
    else this.#keep(place, shard, space, reading, value);
  }

  #rememberTree(place: number, shard: Shard, space: string, reading: Reading, tree: object): void {
    const { version, changes } = reading;
    if (this.#hasTree(place, space) && this.#versions[place] === version) {
      // Only a neighbour of the entry was changed.
      this.#note(place, shard, space, reading);
      return;
    }
    const shape = this.#isWorthCopying(place, version) ? shapeOfTree(tree) : undefined;
    if (shape !== undefined) {
      this.#keep(place, shard, space, reading, copyTree(tree, shape), shape);
      this.#versions[place] = version;
      this.#keptAt[place] = this.#words[(place << PLACE_SHIFT) + PLACE.hits];
      return;
    }
    const seen = this.#versions[place];
    this.#versions[place] = seen === -version || Number.isNaN(seen) ? version : -version;
    // What the count of changes was not: so the place is not taken for current.
    this.#words[(place << PLACE_SHIFT) + PLACE.changes] = changes - 1;
    this.#contents.fill(undefined, place * PARTS + 1, (place + 1) * PARTS);
  }

  /**
   * A copy to copy from costs more than it saves once, and dies with its version of the value. So one is made at the first
   * read of a version if that of an older one was of use, at the second if there was none, and else at the third: where writes
   * come as often as reads, mostly none is made.
   */
  #isWorthCopying(place: number, version: number): boolean {
    if (this.#versions[place] === version) return true;
    const hits = this.#words[(place << PLACE_SHIFT) + PLACE.hits] - this.#keptAt[place];
    return this.#contents[place * PARTS + 2] !== undefined && hits >= USEFUL_HITS;
  }

  #hasTree(place: number, space: string): boolean {
    const isExtended = this.#words[(place << PLACE_SHIFT) + PLACE.slot] < 0;
    return this.#contents[place * PARTS + 2] !== undefined && (isExtended ? this.#spaces[place] : '') === space;
  }

  /** Keeps what this thread has just stored if the key is one of those near, else its next get would read what it wrote. */
  wrote(key: string, shard: Shard, space: string, stored: Reading, value: unknown): void {
    if (!isSmallPrimitive(value)) return;
    const place = this.#seek(key, stored.hash);
    if (place !== NOT_NEAR) this.#keep(place, shard, space, stored, value);
  }

  /** Keeps a primitive, or a tree that is this cache's own. */
  #keep(place: number, shard: Shard, space: string, reading: Reading, value: unknown, shape?: TreeShape): void {
    this.#contents[place * PARTS + 1] = value;
    this.#contents[place * PARTS + 2] = shape;
    this.#note(place, shard, space, reading);
  }

  /** What proves the value current, and where the policy finds the entry: the key may have been evicted in between. */
  #note(place: number, shard: Shard, space: string, reading: Reading): void {
    const at = place << PLACE_SHIFT;
    const w = this.#words;
    w[at + PLACE.changes] = reading.changes;
    w[at + PLACE.slot] = reading.isExtended ? ~reading.slot : reading.slot;
    w[at + PLACE.policyWord] = reading.policyWord;
    w[at + PLACE.reportedAt] = shard.words[SHARD.inserts];
    this.#doubles[(at + PLACE.expiresAt) >> 1] = reading.expiresAt;
    if (!reading.isExtended) return;
    this.#spaces[place] = space;
    this.#invalidations[place] = reading.invalidation;
  }

  /** When the first value is to be kept: attaching is quicker without, and a thread that only writes needs none. */
  #makePlaces(): void {
    const capacity = this.#capacity;
    this.#setMask = capacity / WAYS - 1;
    this.#hashes = new Int32Array(capacity);
    // Places of its own from the start, not holes: another's setter on Array.prototype would catch what is written to a hole.
    this.#contents = Array.from({ length: capacity * PARTS });
    this.#words = new Int32Array(capacity << PLACE_SHIFT);
    this.#doubles = new Float64Array(this.#words.buffer);
    this.#spaces = Array.from({ length: capacity }, () => '');
    this.#invalidations = new Float64Array(capacity);
    this.#versions = new Float64Array(capacity);
    this.#keptAt = new Int32Array(capacity);
    this.#reads = new Uint8Array(capacity * COUNTS_PER_PLACE);
  }

  #seek(key: string, hash: number): number {
    const first = (hash & this.#setMask) * WAYS;
    for (let place = first; place < first + WAYS; place++) {
      if (this.#hashes[place] === hash && this.#contents[place * PARTS] === key) return place;
    }
    return NOT_NEAR;
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

  /** A free place of the key's set, or the least used one if its key was hit less often than this one was read. */
  #makePlace(key: string, hash: number, reads: number): number {
    const first = (hash & this.#setMask) * WAYS;
    let place = NOT_NEAR;
    let fewest = reads;
    for (let each = first; each < first + WAYS && fewest > 0; each++) {
      // Most keys of a long tail are read once: they get no further than here, which is one cache line.
      const isFree = this.#hashes[each] === 0;
      if (!isFree && reads === 1) continue;
      const hits = isFree ? 0 : this.#agedHits(each);
      if (hits >= fewest) continue;
      fewest = hits;
      place = each;
    }
    if (place === NOT_NEAR) return NOT_NEAR;
    this.#hashes[place] = hash;
    this.#contents[place * PARTS] = key;
    this.#contents.fill(undefined, place * PARTS + 1, (place + 1) * PARTS);
    this.#versions[place] = Number.NaN;
    this.#words[(place << PLACE_SHIFT) + PLACE.hits] = reads;
    this.#words[(place << PLACE_SHIFT) + PLACE.age] = this.#age;
    return place;
  }

  #agedHits(place: number): number {
    const at = place << PLACE_SHIFT;
    const w = this.#words;
    w[at + PLACE.hits] >>= Math.min(31, this.#age - w[at + PLACE.age]);
    w[at + PLACE.age] = this.#age;
    return w[at + PLACE.hits];
  }
}

function isSmallPrimitive(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= MAX_STRING_LENGTH;
  // A bigint may be of any size; those of one word are as small as a number.
  return typeof value === 'bigint' ? BigInt.asIntN(64, value) === value : typeof value !== 'object' || value === null;
}

function isSmallTree({ kind, lengthBytes, copy }: Reading): boolean {
  return lengthBytes <= MAX_TREE_BYTES && kind === ValueKind.plain && !hasReferences(copy);
}
