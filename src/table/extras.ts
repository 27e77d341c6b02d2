import { ENTRY, EXTRAS, NAMESPACES_SHIFT, TAGS_MASK } from '../memory/layout.js';
import { setWide, wideAt } from '../memory/wide.js';
import { readChained } from './chain.js';
import { copyOut, isChained, keyBytesOf, paddedToWord, wordOf } from './entry.js';
import type { Shard } from './shard.js';

/** Most tags of one entry, and most characters of one. */
export const MAX_TAGS = 16;
export const MAX_TAG_LENGTH = 256;
/** Namespaces inside of each other. */
export const MAX_DEPTH = 16;
/** Bytes of the head and all hashes. */
export const MAX_HASHED_BYTES = (EXTRAS.headWords + MAX_DEPTH + MAX_TAGS) * 4;
/** With the lengths and the UTF-16 texts of the tags. */
export const MAX_EXTRA_BYTES = MAX_HASHED_BYTES + MAX_TAGS * (4 + MAX_TAG_LENGTH * 2);

/** What an extended entry has beside its value. */
export interface Extras {
  /** The number of the last invalidation when the write was begun. */
  begun: number;
  /** Until when the entry is kept for a loader's failure, ms; 0 when its TTL is the end. */
  graceEnd: number;
  /** The TTL it was given, ms; 0 when it never expires. */
  lifetime: number;
  /** Hashes of the namespaces the key is in, the outermost first. */
  namespaces: readonly number[];
  tags: readonly string[];
  tagHashes: readonly number[];
}

/** A private copy of an entry's extras, as much of them as it has room for; reused. */
export class ExtrasCopy {
  readonly bytes: Buffer;
  readonly words: Int32Array;

  constructor(capacityBytes: number) {
    const memory = new ArrayBuffer(capacityBytes);
    this.bytes = Buffer.from(memory);
    this.words = new Int32Array(memory);
  }

  get lengthBytes(): number {
    return this.words[EXTRAS.lengthBytes];
  }
}

/**
 * Copies an extended entry's extras; false when they make no sense, as they may to a reader that races with a writer. What
 * it accepts keeps every later look inside of the copy.
 */
export function readExtras(shard: Shard, ref: number, into: ExtrasCopy): boolean {
  const m = shard.words;
  const word = wordOf(ref);
  const meta = m[word + ENTRY.meta];
  const from = paddedToWord(keyBytesOf(meta));
  const wanted = Math.min(into.bytes.length, m[word + ENTRY.valueBytes]);
  if (wanted < EXTRAS.headWords * 4) return false;
  if (isChained(meta)) {
    if (!readChained(shard, ref, from, into.bytes, wanted)) return false;
  } else {
    const byte = ((word + ENTRY.headWords) << 2) + from;
    if (byte + wanted > shard.bytes.length) return false;
    copyOut(shard, byte, into.bytes, 0, wanted);
  }
  const { words, lengthBytes } = into;
  const hashes = (words[EXTRAS.counts] >>> NAMESPACES_SHIFT) + (words[EXTRAS.counts] & TAGS_MASK);
  return (
    lengthBytes >= (EXTRAS.headWords + hashes) * 4 &&
    lengthBytes <= Math.min(MAX_EXTRA_BYTES, m[word + ENTRY.valueBytes]) &&
    (lengthBytes & 3) === 0 &&
    hashes <= MAX_DEPTH + MAX_TAGS
  );
}

/** Appends the extras to `words` (which lie over `bytes`) and returns how many bytes they took. */
export function writeExtras(words: Int32Array, bytes: Buffer, extras: Extras): number {
  const { begun, graceEnd, lifetime, namespaces, tags, tagHashes } = extras;
  setWide(words, EXTRAS.begun, begun);
  setWide(words, EXTRAS.graceEnd, graceEnd);
  setWide(words, EXTRAS.lifetime, lifetime);
  words[EXTRAS.counts] = (namespaces.length << NAMESPACES_SHIFT) | tags.length;
  let at = EXTRAS.headWords;
  for (const hash of namespaces) words[at++] = hash;
  for (const hash of tagHashes) words[at++] = hash;
  for (const tag of tags) words[at++] = tag.length;
  let byte = at * 4;
  for (const tag of tags) byte += bytes.write(tag, byte, 'utf16le');
  const lengthBytes = paddedToWord(byte);
  bytes.fill(0, byte, lengthBytes);
  words[EXTRAS.lengthBytes] = lengthBytes;
  return lengthBytes;
}

/** The tags in a private copy of an entry's extras; empty where they make no sense. */
export function tagsOf(words: Int32Array): string[] {
  const namespaces = words[EXTRAS.counts] >>> NAMESPACES_SHIFT;
  const count = words[EXTRAS.counts] & TAGS_MASK;
  const bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength);
  const lengths = EXTRAS.headWords + namespaces + count;
  let byte = (lengths + count) * 4;
  let isSound = true;
  const tags = Array.from({ length: count }, (_, i) => {
    const begin = byte;
    byte += 2 * words[lengths + i];
    isSound &&= byte >= begin && byte <= words[EXTRAS.lengthBytes] && byte <= bytes.length;
    return isSound ? bytes.ucs2Slice(begin, byte) : '';
  });
  return isSound ? tags : [];
}

export const graceEndOf = (words: Int32Array): number => wideAt(words, EXTRAS.graceEnd);
export const lifetimeOf = (words: Int32Array): number => wideAt(words, EXTRAS.lifetime);
