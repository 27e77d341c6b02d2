import { BUCKET_REFS, BUCKET_SLOTS, ENTRY, MAX_STORED_KEY_BYTES, SLOT_SHIFT } from '../memory/layout.js';
import { readChained } from './chain.js';
import { copyOut, isChained, keyBytesOf, wordOf } from './entry.js';
import { readConsistently } from './optimistic.js';
import { isLive, type Reading, snapshotEntry } from './read.js';
import type { Shard } from './shard.js';

/** One entry of a walk: its encoded key; the rest is in the walk's reading. */
export interface Walked {
  /** Private memory, used again for the next entry. */
  readonly key: Buffer;
  keyBytes: number;
  slot: number;
  /** What `touchEntries` returned: kept so that no compiler leaves its reads out. */
  touched: number;
}

export function createWalked(): Walked {
  return { key: Buffer.allocUnsafe(MAX_STORED_KEY_BYTES), keyBytes: 0, slot: 0, touched: 0 };
}

/**
 * Visits every live entry of the shard. Weakly consistent: an entry stays in its slot for life, so one that is there
 * throughout is seen exactly once; one that comes or goes may be seen or not.
 */
export function* eachEntry(shard: Shard, into: Reading, withValue: boolean): Generator<Walked> {
  const walked = createWalked();
  for (let bucket = 0; bucket < shard.bucketCount; bucket++) {
    walked.touched = touchEntries(shard, bucket);
    for (let place = 0; place < BUCKET_SLOTS; place++) {
      if (shard.words[shard.bucketWord(bucket) + BUCKET_REFS + place] === 0) continue;
      if (walkTo(shard, (bucket << SLOT_SHIFT) | place, walked, into, withValue)) yield walked;
    }
  }
}

/** Reads what the slot holds; whether that is a live entry. */
export function walkTo(shard: Shard, slot: number, walked: Walked, into: Reading, withValue: boolean): boolean {
  walked.slot = slot;
  walked.keyBytes = readPlace(shard, shard.memory.refWord(slot), into, withValue, walked.key);
  return walked.keyBytes >= 0 && isLive(shard, into);
}

/**
 * Reads a word of every entry of the bucket. The processor waits for these cache lines at the same time, where reading entry
 * after entry would wait for one after the other. A ref may be any word: outside of the shard there is nothing to read.
 */
function touchEntries(shard: Shard, bucket: number): number {
  const { words } = shard;
  const from = shard.bucketWord(bucket) + BUCKET_REFS;
  let sum = 0;
  for (let place = 0; place < BUCKET_SLOTS; place++) sum ^= words[wordOf(words[from + place])];
  return sum;
}

/** Key bytes of the entry at this place, -1 when there is none. */
function readPlace(shard: Shard, refWord: number, into: Reading, withValue: boolean, key: Buffer): number {
  return readConsistently(shard, -1, (version) =>
    snapshotPlace(shard, shard.words[refWord], into, withValue, key, version),
  );
}

function snapshotPlace(
  shard: Shard,
  ref: number,
  into: Reading,
  withValue: boolean,
  key: Buffer,
  version: number,
): number {
  if (ref === 0 || !shard.heap.isInside(ref) || !snapshotEntry(shard, ref, into, withValue, version)) return -1;
  const word = wordOf(ref);
  const meta = shard.words[word + ENTRY.meta];
  const keyBytes = keyBytesOf(meta);
  if (keyBytes > MAX_STORED_KEY_BYTES) return -1;
  if (isChained(meta)) return keyBytes === 0 || readChained(shard, ref, 0, key, keyBytes) ? keyBytes : -1;
  const byte = (word + ENTRY.headWords) << 2;
  if (byte + keyBytes > shard.bytes.length) return -1;
  copyOut(shard, byte, key, 0, keyBytes);
  return keyBytes;
}
