import {
  BUCKET_OVERFLOW,
  BUCKET_SLOTS,
  CHUNK,
  CHUNK_META,
  CONTROL,
  ENTRY,
  MAX_PROBE,
  MAX_STORED_KEY_BYTES,
  SHARD,
  SLOT_SHIFT,
} from '../memory/layout.js';
import { isChained, keyBytesOf, versionAt, wordOf } from '../table/entry.js';
import type { Shard } from '../table/shard.js';
import type { Table } from '../table/table.js';
import { type Filled, inspectHeap } from './check-heap.js';

const MOST_PROBLEMS = 50;

/** What a walk over the whole structure found. */
export interface Inspection {
  /** Whether there is no problem. */
  ok: boolean;
  /** Each broken invariant in words, at most 50. */
  problems: string[];
}

/** Walks the whole structure, one locked shard at a time. */
export function inspectCache(table: Table): Inspection {
  const problems: string[] = [];
  const reportIn =
    (place: string) =>
    (message: string): void => {
      if (problems.length < MOST_PROBLEMS) problems.push(`${place}: ${message}`);
    };
  inspectLock(table.arena.words, CONTROL.policyLock, reportIn('shared policy'));
  inspectLock(table.arena.words, CONTROL.leaseLock, reportIn('leases'));
  for (const shard of table.shards) {
    const report = reportIn(`shard ${shard.memory.index}`);
    inspectLock(shard.words, SHARD.lock, report);
    const inspected = shard.locked(false, () => {
      inspectShardLocked(shard, report);
      return true;
    });
    if (!inspected) report('the lock could not be had');
  }
  return { ok: problems.length === 0, problems };
}

/**
 * A free lock word is even and what the last unlock took from the version word beside it. It is read without the lock,
 * since taking the lock would mend both.
 */
function inspectLock(words: Int32Array, lock: number, report: (message: string) => void): void {
  const word = Atomics.load(words, lock);
  const version = Atomics.load(words, lock + 1);
  // Held, or taken between the two loads. A version never comes back so soon, so an unchanged word was free throughout.
  if (word < 0 || Atomics.load(words, lock) !== word) return;
  if (word % 2 !== 0) report(`the free lock word ${word} is odd`);
  if (version !== word) report(`the lock word is ${word}, the version beside it ${version}`);
}

function inspectShardLocked(shard: Shard, report: (message: string) => void): void {
  const m = shard.words;
  if (m[SHARD.journalLength] !== 0) report(`${m[SHARD.journalLength]} journaled stores outside a transaction`);
  for (const root of ['pending', 'dying', 'clearing'] as const)
    if (m[SHARD[root]] !== 0) report(`${root} is not empty`);
  const filled = inspectIndex(shard, report);
  inspectHeap(shard, filled, report);
  shard.policy.inspectLocked((slot) => filled.slots.has(slot), report);
}

function inspectIndex(shard: Shard, report: (message: string) => void): Filled {
  const m = shard.words;
  const slots = new Set<number>();
  const blocks = new Set<number>();
  const passed = new Int32Array(shard.bucketCount);
  for (let bucket = 0; bucket < shard.bucketCount; bucket++) {
    for (let place = 0; place < BUCKET_SLOTS; place++) {
      const slot = (bucket << SLOT_SHIFT) | place;
      const ref = m[shard.memory.refWord(slot)];
      if (ref === 0) continue;
      if (!shard.heap.isBlock(ref)) {
        report(`slot ${slot} refers to ${ref}, which is no block`);
        continue;
      }
      slots.add(slot);
      inspectEntry(shard, slot, ref, blocks, report);
      const hash = m[shard.memory.hashWord(slot)];
      let at = shard.homeBucket(hash);
      for (let n = 0; at !== bucket && n < MAX_PROBE; n++) {
        passed[at]++;
        at = (at + 1) % shard.bucketCount;
      }
      if (at !== bucket) report(`slot ${slot} is not on its entry's probe path`);
    }
  }
  for (let bucket = 0; bucket < shard.bucketCount; bucket++) {
    const counted = m[shard.bucketWord(bucket) + BUCKET_OVERFLOW] >>> 24;
    if (counted !== passed[bucket])
      report(`bucket ${bucket} counts ${counted} passing entries, there are ${passed[bucket]}`);
  }
  if (slots.size !== m[SHARD.entries]) report(`${m[SHARD.entries]} entries counted, ${slots.size} found`);
  if (slots.size > shard.capacityEntries) report(`${slots.size} entries, ${shard.capacityEntries} allowed`);
  return { slots, blocks };
}

function inspectEntry(
  shard: Shard,
  slot: number,
  ref: number,
  blocks: Set<number>,
  report: (message: string) => void,
): void {
  const m = shard.words;
  const word = wordOf(ref);
  const meta = m[word + ENTRY.meta];
  if (shard.hashOfLocked(ref) !== m[shard.memory.hashWord(slot)])
    report(`slot ${slot} and its entry have different hashes`);
  if (keyBytesOf(meta) > MAX_STORED_KEY_BYTES || m[word + ENTRY.valueBytes] < 0)
    report(`slot ${slot} has an impossible length`);
  const version = versionAt(m, word);
  const writes = shard.doubles[SHARD.writes >> 1];
  if (version < 1 || version > writes) report(`slot ${slot} has version ${version} after ${writes} writes`);
  if (blocks.has(ref)) report(`block ${ref} belongs to two entries`);
  blocks.add(ref);
  if (!isChained(meta)) return;
  for (let chunk = m[word + ENTRY.next]; chunk !== 0; chunk = m[wordOf(chunk) + CHUNK.next]) {
    if (!shard.heap.isBlock(chunk) || m[wordOf(chunk) + CHUNK.meta] !== CHUNK_META || blocks.has(chunk)) {
      report(`the chain of slot ${slot} is broken at ${chunk}`);
      return;
    }
    blocks.add(chunk);
  }
}
