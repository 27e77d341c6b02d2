import {
  BUCKET_LOAD,
  BUCKET_WORDS,
  BYTES_PER_TAG_SLOT,
  COUNTERS,
  LINK_WORDS,
  MAX_CHANGE_COUNTS,
  MAX_EVENT_WORDS,
  MAX_TAG_SLOTS,
  MIN_CHANGE_COUNTS,
  MIN_EVENT_WORDS,
  MIN_TAG_SLOTS,
  PAGES_WORD,
  pageRecordWords,
  SHARD_BYTES_PER_EVENT_BYTE,
  SLOT_SHIFT,
  SLOTS_PER_CHANGE_COUNT,
  SMALL_EVENT_BYTES,
  SMALL_SHARD_BYTES_PER_EVENT_BYTE,
  TAGS_WORD,
  THREAD,
} from './layout.js';
import { sizeClasses } from './size-classes.js';

/** The four numbers a shard's layout follows from; stored in the control header. */
export interface ShardDimensions {
  pageShift: number;
  pageCount: number;
  bucketCount: number;
  policyWords: number;
  /** A power of two. */
  eventWords: number;
}

/** What the control buffer's layout follows from; stored in its header. */
export interface ControlDimensions {
  threadCount: number;
  tagSlots: number;
  policyWords: number;
}

/** Where each part of the control buffer begins, in words. */
export interface ControlGeometry extends ControlDimensions {
  threadsWord: number;
  countersWord: number;
  policyWord: number;
  words: number;
}

/** Where each part of a shard begins, in words from the shard's start. */
export interface ShardGeometry extends ShardDimensions {
  pageRecordWords: number;
  changesWord: number;
  /** A power of two. */
  changeCounts: number;
  eventsWord: number;
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
  const { pageShift, pageCount, bucketCount, policyWords, eventWords } = dimensions;
  const recordWords = pageRecordWords(pageShift);
  const slotCount = bucketCount << SLOT_SHIFT;
  const changesWord = alignToLine(PAGES_WORD + pageCount * recordWords);
  const changeCounts = changeCountsFor(slotCount);
  const eventsWord = changesWord + changeCounts;
  const bucketsWord = eventsWord + eventWords;
  const linksWord = bucketsWord + bucketCount * BUCKET_WORDS;
  const policyWord = linksWord + slotCount * LINK_WORDS;
  const heapWord = alignToLine(policyWord + policyWords);
  return {
    ...dimensions,
    pageRecordWords: recordWords,
    changesWord,
    changeCounts,
    eventsWord,
    bucketsWord,
    linksWord,
    policyWord,
    heapByte: heapWord * 4,
    slotCount,
    words: heapWord + (pageCount * 2 ** pageShift) / 4,
    classBytes: sizeClasses(2 ** pageShift),
  };
}

export function controlGeometry(dimensions: ControlDimensions): ControlGeometry {
  const { threadCount, tagSlots, policyWords } = dimensions;
  const threadsWord = alignToLine(TAGS_WORD + tagSlots * 2);
  const countersWord = threadsWord + threadCount * THREAD.words;
  const policyWord = alignToLine(countersWord + threadCount * COUNTERS * 2);
  return { ...dimensions, threadsWord, countersWord, policyWord, words: alignToLine(policyWord + policyWords) };
}

/** Slots of the tag table of a cache of this size. */
export function tagSlotsFor(maxBytes: number): number {
  return powerOfTwo(maxBytes / BYTES_PER_TAG_SLOT, MIN_TAG_SLOTS, MAX_TAG_SLOTS);
}

/** Words of the ring of events of a shard of this size. */
export function eventWordsFor(shardBytes: number): number {
  const small = Math.min(shardBytes / SMALL_SHARD_BYTES_PER_EVENT_BYTE, SMALL_EVENT_BYTES);
  const wanted = Math.max(small, shardBytes / SHARD_BYTES_PER_EVENT_BYTE);
  return powerOfTwo(wanted / 4, MIN_EVENT_WORDS, MAX_EVENT_WORDS);
}

function changeCountsFor(slotCount: number): number {
  return powerOfTwo(slotCount / SLOTS_PER_CHANGE_COUNT, MIN_CHANGE_COUNTS, MAX_CHANGE_COUNTS);
}

/** Buckets that hold `entries` at the designed load. */
export function bucketsFor(entries: number): number {
  return Math.max(2, Math.ceil(entries / BUCKET_LOAD));
}

/** The largest power of two that is no more than wanted, within bounds that are powers of two. */
function powerOfTwo(wanted: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, 2 ** Math.floor(Math.log2(wanted))));
}
