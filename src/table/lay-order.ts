import { BUCKET_REFS, BUCKET_SLOTS, SLOT_SHIFT } from '../memory/layout.js';
import { wordOf } from './entry.js';
import type { Shard } from './shard.js';

/** Buckets whose entries are put in order together: their lines stay in a processor's cache while the entries are read. */
export const ORDERED_BUCKETS = 8192;
/** Parts of the shard's memory that are told apart: 2 to this power. */
const PARTS_SHIFT = 12;
const PART_MASK = (1 << PARTS_SHIFT) - 1;

/**
 * The entries of some buckets in about the order in which they lie in memory. Buckets have them in the order of their hashes,
 * and to read them in that order is to wait for memory with each. This is a counting sort by the part of the shard that the
 * ref names.
 *
 * A ref is what the slot held when it was looked at: whoever reads the entry has to see that the slot still holds it, and to
 * read what is there now if it does not. An entry stays in its slot for life, so one that is there throughout is met exactly
 * once however often it was moved.
 */
export class LayOrder {
  count = 0;
  readonly slots = new Int32Array(ORDERED_BUCKETS * BUCKET_SLOTS);
  readonly refs = new Int32Array(ORDERED_BUCKETS * BUCKET_SLOTS);
  readonly #foundSlots = new Int32Array(ORDERED_BUCKETS * BUCKET_SLOTS);
  readonly #foundRefs = new Int32Array(ORDERED_BUCKETS * BUCKET_SLOTS);
  /** Where the next entry of each part goes. */
  readonly #next = new Int32Array(1 << PARTS_SHIFT);

  /** Looks at the buckets from `first` to before `end`. */
  collect(shard: Shard, first: number, end: number): void {
    const m = shard.words;
    const { heap } = shard;
    const slots = this.#foundSlots;
    const refs = this.#foundRefs;
    const next = this.#next.fill(0);
    const shift = Math.max(0, 32 - Math.clz32(m.length) - PARTS_SHIFT);
    let count = 0;
    for (let bucket = first; bucket < end; bucket++) {
      const from = shard.bucketWord(bucket) + BUCKET_REFS;
      for (let place = 0; place < BUCKET_SLOTS; place++) {
        const ref = m[from + place];
        if (ref === 0 || !heap.isInside(ref)) continue;
        slots[count] = (bucket << SLOT_SHIFT) | place;
        refs[count++] = ref;
        next[(wordOf(ref) >>> shift) & PART_MASK]++;
      }
    }
    for (let part = 0, sum = 0; part < next.length; part++) {
      const size = next[part];
      next[part] = sum;
      sum += size;
    }
    for (let i = 0; i < count; i++) {
      const to = next[(wordOf(refs[i]) >>> shift) & PART_MASK]++;
      this.slots[to] = slots[i];
      this.refs[to] = refs[i];
    }
    this.count = count;
  }
}
