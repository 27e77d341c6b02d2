import { BUCKET_REFS, BUCKET_SLOTS, ENTRY, SHARD, SLOT_SHIFT } from '../memory/layout.js';
import { versionAt, wordOf } from '../table/entry.js';
import type { Shard } from '../table/shard.js';
import { GENERATIONS } from './format.js';

/** Buckets that are looked at to learn how recency is spread. */
const SAMPLED_BUCKETS = 2048;
/** Equal parts of what lies between the bounds; of each is known what generation the search for one in it begins at. */
const PARTS = 1024;

/**
 * Sorts entries into generations of about equal size by how recently they were used: what the policy knows of it, read
 * from a sample. Reads race with writers. A ref that is inside of the heap keeps every read inside of the shard, and a
 * wrong answer puts an entry into a wrong generation, nothing more.
 */
export class Recency {
  /** Where generations 1, 2, … begin, in order. */
  readonly #bounds: Float64Array;
  readonly #firstOfPart = new Uint8Array(PARTS);
  readonly #lowest: number;
  readonly #partsPerUnit: number;

  constructor(shards: readonly Shard[]) {
    const sample = Float64Array.from(sampleOf(shards)).sort();
    const generations = Math.min(GENERATIONS, sample.length);
    this.#bounds = new Float64Array(Math.max(0, generations - 1));
    for (let i = 1; i < generations; i++) {
      this.#bounds[i - 1] = sample[Math.floor((i * sample.length) / generations)];
    }
    this.#lowest = this.#bounds[0] ?? 0;
    const range = (this.#bounds.at(-1) ?? 0) - this.#lowest;
    this.#partsPerUnit = range > 0 ? PARTS / range : 0;
    for (let part = 0, below = 0; part < PARTS; part++) {
      while (below < this.#bounds.length && this.#partOf(this.#bounds[below]) < part) below++;
      this.#firstOfPart[part] = below;
    }
  }

  /** The generation of the entry in this slot, whose ref this is. */
  generationOf(shard: Shard, slot: number, ref: number): number {
    const recency = recencyOf(shard, slot, ref);
    const bounds = this.#bounds;
    let generation = this.#firstOfPart[this.#partOf(recency)];
    while (generation < bounds.length && bounds[generation] <= recency) generation++;
    return generation;
  }

  #partOf(recency: number): number {
    return Math.max(0, Math.min(PARTS - 1, ((recency - this.#lowest) * this.#partsPerUnit) | 0));
  }
}

function recencyOf(shard: Shard, slot: number, ref: number): number {
  const word = wordOf(ref);
  const written = versionAt(shard.words, word) / Math.max(1, shard.doubles[SHARD.writes >> 1]);
  return shard.policy.recency(slot, word + ENTRY.policy, Math.min(1, written));
}

function sampleOf(shards: readonly Shard[]): number[] {
  const buckets = shards.reduce((sum, shard) => sum + shard.bucketCount, 0);
  const step = Math.max(1, Math.floor(buckets / SAMPLED_BUCKETS));
  const sample: number[] = [];
  for (const shard of shards) {
    for (let bucket = 0; bucket < shard.bucketCount; bucket += step) {
      for (let place = 0; place < BUCKET_SLOTS; place++) {
        const ref = shard.words[shard.bucketWord(bucket) + BUCKET_REFS + place];
        if (ref !== 0 && shard.heap.isInside(ref)) sample.push(recencyOf(shard, (bucket << SLOT_SHIFT) | place, ref));
      }
    }
  }
  return sample;
}
