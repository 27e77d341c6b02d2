import type { KeyEncoder } from '../codec/key.js';
import { CHUNK, CHUNK_META, ENTRY, MAX_STORED_KEY_BYTES, META_KEY_MASK, SHARD } from '../memory/layout.js';
import type { Draft } from './draft.js';
import { copyOut, isChained, MOST_TAIL_BLOCKS, paddedToWord, wordOf, writePayload } from './entry.js';
import type { Shard } from './shard.js';

/**
 * Copies payload bytes [from, from + length) of a chained entry to private memory. False when the chain makes no sense,
 * as it may to a reader that races with a writer. A chain is whole pages and a tail, which bounds the steps; a chunk of
 * another key's is known by its hash.
 */
export function readChained(shard: Shard, ref: number, from: number, target: Buffer, length: number): boolean {
  const m = shard.words;
  let word = wordOf(ref);
  let next = m[word + ENTRY.next];
  let here = m[word + ENTRY.here];
  let byte = (word + ENTRY.chainedHeadWords) << 2;
  let skip = from;
  const hash = m[word + ENTRY.hash];
  let done = 0;
  for (let left = mostBlocks(shard); left > 0; left--) {
    if (!(here > 0 && byte + here <= shard.bytes.length)) return false;
    if (skip < here) {
      const count = Math.min(here - skip, length - done);
      copyOut(shard, byte + skip, target, done, count);
      done += count;
      if (done === length) return true;
      skip = 0;
    } else {
      skip -= here;
    }
    if (!shard.heap.isInside(next)) return false;
    word = wordOf(next);
    if (m[word + CHUNK.meta] !== CHUNK_META || m[word + CHUNK.hash] !== hash) return false;
    next = m[word + CHUNK.next];
    here = m[word + CHUNK.here];
    byte = (word + CHUNK.headWords) << 2;
  }
  return false;
}

/** Blocks that the chain of one entry can have: whole pages and a tail. */
export const mostBlocks = (shard: Shard): number => shard.memory.geometry.pageCount + MOST_TAIL_BLOCKS;

/** Ref of the chunk after this one in a chain of chunks; 0 at the end or where memory makes no sense. */
export function nextChunk(shard: Shard, ref: number): number {
  const word = wordOf(ref);
  if (!shard.heap.isInside(ref) || shard.words[word + CHUNK.meta] !== CHUNK_META) return 0;
  return shard.words[word + CHUNK.next];
}

let keyScratch: Buffer | undefined;

export function chainedKeyEquals(shard: Shard, ref: number, key: KeyEncoder): boolean {
  const bytes = key.lengthBytes;
  if ((shard.words[wordOf(ref) + ENTRY.meta] & META_KEY_MASK) !== bytes) return false;
  if (bytes === 0) return true;
  keyScratch ??= Buffer.alloc(MAX_STORED_KEY_BYTES + 4);
  if (!readChained(shard, ref, 0, keyScratch, paddedToWord(bytes))) return false;
  const own = Buffer.from(key.words.buffer, key.words.byteOffset, bytes);
  return own.compare(keyScratch, 0, bytes) === 0;
}

/**
 * Allocates and fills all blocks of a chain but the first, from the last to the second, each hooked to `pending` in its own
 * transaction. Returns the ref the first block's `next` must get, or 0 when the heap cannot hold it.
 */
export function buildTailLocked(
  shard: Shard,
  classes: Int32Array,
  draft: Draft,
  allocate: (sizeClass: number) => number,
): number {
  const { heap, memory, words: m } = shard;
  let end = draft.payloadBytes;
  const capacity = (i: number): number =>
    heap.classBytes(classes[i]) - (i === 0 ? ENTRY.chainedHeadWords : CHUNK.headWords) * 4;
  let begin = 0;
  for (let i = 0; i < classes.length - 1; i++) begin += capacity(i);
  let next = 0;
  for (let i = classes.length - 1; i > 0; i--) {
    const ref = allocate(classes[i]);
    if (ref === 0) {
      memory.rollback();
      shard.drainLocked(SHARD.pending);
      return 0;
    }
    const word = wordOf(ref);
    m[word + CHUNK.next] = next;
    m[word + CHUNK.meta] = CHUNK_META;
    m[word + CHUNK.here] = end - begin;
    m[word + CHUNK.hash] = draft.key.hash;
    writePayload(shard, (word + CHUNK.headWords) << 2, draft, begin, end - begin);
    memory.set(SHARD.pending, ref);
    memory.commit();
    next = ref;
    end = begin;
    begin -= capacity(i - 1);
  }
  return next;
}

/** Words, in order, that hold payload words [from, from + count) of an entry; fewer where a chain makes no sense. */
export function payloadWords(shard: Shard, ref: number, from: number, count: number): Int32Array {
  const word = wordOf(ref);
  if (isChained(shard.words[word + ENTRY.meta])) return chainedWords(shard, ref, from, count);
  return new Int32Array(count).map((_, i) => word + ENTRY.headWords + from + i);
}

function chainedWords(shard: Shard, ref: number, from: number, count: number): Int32Array {
  const m = shard.words;
  const found = new Int32Array(count);
  let length = 0;
  let word = wordOf(ref);
  let next = m[word + ENTRY.next];
  let hereWords = m[word + ENTRY.here] >> 2;
  let first = word + ENTRY.chainedHeadWords;
  let skip = from;
  for (let left = mostBlocks(shard); left > 0; left--) {
    for (; skip < hereWords && length < count; skip++) found[length++] = first + skip;
    if (length === count || !shard.heap.isInside(next)) break;
    skip -= hereWords;
    word = wordOf(next);
    if (m[word + CHUNK.meta] !== CHUNK_META) break;
    next = m[word + CHUNK.next];
    hereWords = (m[word + CHUNK.here] + 3) >> 2;
    first = word + CHUNK.headWords;
  }
  return found.subarray(0, length);
}
