import {
  BUCKET_LOAD,
  BUCKET_WORDS,
  LINK_WORDS,
  MAX_CHANGE_COUNTS,
  MIN_CHANGE_COUNTS,
  PAGES_WORD,
  pageRecordWords,
  SLOT_SHIFT,
  SLOTS_PER_CHANGE_COUNT,
} from './layout.js';
import { sizeClasses } from './size-classes.js';

/** The four numbers a shard's layout follows from; stored in the control header. */
export interface ShardDimensions {
  pageShift: number;
  pageCount: number;
  bucketCount: number;
  policyWords: number;
}

/** Where each part of a shard begins, in words from the shard's start. */
export interface ShardGeometry extends ShardDimensions {
  pageRecordWords: number;
  changesWord: number;
  /** A power of two. */
  changeCounts: number;
  bucketsWord: number;
  linksWord: number;
  policyWord: number;
  heapByte: number;
  slotCount: number;
  words: number;
  /** Block bytes of each size class, ascending. */
  classBytes: readonly number[];
}

const alignToLine = (words: number): number => Math.ceil(words / 16) * 16;

export function shardGeometry(dimensions: ShardDimensions): ShardGeometry {
  const { pageShift, pageCount, bucketCount, policyWords } = dimensions;
  const recordWords = pageRecordWords(pageShift);
  const slotCount = bucketCount << SLOT_SHIFT;
  const changesWord = alignToLine(PAGES_WORD + pageCount * recordWords);
  const changeCounts = changeCountsFor(slotCount);
  const bucketsWord = changesWord + changeCounts;
  const linksWord = bucketsWord + bucketCount * BUCKET_WORDS;
  const policyWord = linksWord + slotCount * LINK_WORDS;
  const heapWord = alignToLine(policyWord + policyWords);
  return {
    ...dimensions,
    pageRecordWords: recordWords,
    changesWord,
    changeCounts,
    bucketsWord,
    linksWord,
    policyWord,
    heapByte: heapWord * 4,
    slotCount,
    words: heapWord + (pageCount * 2 ** pageShift) / 4,
    classBytes: sizeClasses(2 ** pageShift),
  };
}

function changeCountsFor(slotCount: number): number {
  const wanted = 2 ** Math.floor(Math.log2(slotCount / SLOTS_PER_CHANGE_COUNT));
  return Math.min(MAX_CHANGE_COUNTS, Math.max(MIN_CHANGE_COUNTS, wanted));
}

/** Buckets that hold `entries` at the designed load. */
export function bucketsFor(entries: number): number {
  return Math.max(2, Math.ceil(entries / BUCKET_LOAD));
}
