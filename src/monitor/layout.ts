import { CELLS } from './buckets.js';
import type { MonitorDimensions } from './options.js';

/**
 * One shared buffer, every offset of it. Words are 4 bytes, doubles 8.
 *
 *   header | operation names | thread records | directory | timelines | rings | key rings | shared blocks | own blocks
 *
 * Whatever counts has one writer, the thread whose record names it; only the shared blocks have many and are BigInt64
 * with atomic adds. A fresh buffer of zeros with a header is a valid monitor.
 *
 *   directory[thread][operation]  own block of the two, counted from 1; 0 none yet; -1 they use the shared block
 *   timeline[thread][second % TIMELINE_SECONDS]  one second's sums
 *   ring[thread][n % retention]   recent metrics
 *   key ring[thread][n % keyNotes]   keys of the cache's operations that were timed
 */
export const MONITOR_MAGIC = 0x4d4f4e31;
/** The header of a file tells the cache's version alone: when this one is raised, so must be LAYOUT_VERSION. */
export const MONITOR_LAYOUT_VERSION = 2;

export const HEADER = {
  magic: 0,
  layoutVersion: 1,
  operations: 2,
  threads: 3,
  histograms: 4,
  retention: 5,
  sample: 6,
  id0: 7,
  id1: 8,
  /** Advanced by reset(), from 1; a block with another stamp holds nothing. */
  epoch: 9,
  /** Own blocks given away; goes past `histograms` when they are used up. */
  blocksTaken: 10,
  operationCount: 11,
  /** Mark of the thread that adds a name, or 0. */
  namesLock: 12,
  /** Double: ms since the epoch of creation or reset. */
  startedAt: 14,
  /** BigInt64: records without a place in a ring and a timeline. */
  unlisted: 16,
  words: 32,
} as const;

/** UTF-16 code units of an operation name. */
export const MAX_NAME_UNITS = 64;

export const NAME = {
  units: 0,
  /** 1 once the operation's shared block has been written. */
  sharedUsed: 1,
  text: 2,
  words: 2 + MAX_NAME_UNITS / 2,
} as const;

export const THREAD = {
  /** 0 free; > 0 attached: how often the place was claimed; < 0: minus the mark of the thread that claims it. */
  state: 0,
  identity: 1,
  identityWords: 6,
  /** Records ever written to the ring, modulo 2^31. */
  ringHead: 8,
  claims: 9,
  /** The same for the ring of keys. */
  keyRingHead: 10,
  words: 16,
} as const;

/** In doubles (BigInt64 in a shared block). Counters are exact up to 2^53. */
export const BLOCK = {
  stamp: 0,
  failures: 1,
  sumNs: 2,
  sumBytes: 3,
  /** MAX_NS - shortest, so that zero means none yet. */
  shortness: 4,
  maxNs: 5,
  clamped: 6,
  /** Operations that the recorded ones stand for. */
  operations: 7,
  counts: 8,
  doubles: 8 + CELLS,
} as const;

/** In doubles; in the first one is the record's sequence, see ring.ts. */
export const RECENT = {
  timestamp: 1,
  durationNs: 2,
  sizeBytes: 3,
  /** 2 * operation + success. */
  what: 4,
  thread: 5,
  epoch: 6,
  doubles: 8,
} as const;

/** Notes of keys that are kept for each thread, where `retention` is not less. */
export const MAX_KEY_NOTES = 256;

/** Bytes of an encoded key that a note keeps: names of namespaces first, then the key. */
export const KEY_NOTE_TEXT_BYTES = 128;

/** In words; in the first one is the record's sequence, see ring.ts. */
export const KEY_NOTE = {
  /** The cache's hash of the key: tells apart what is longer than a note. */
  hash: 1,
  /** Double: ms since the epoch. */
  timestamp: 2,
  epoch: 4,
  /** 1 for a get, 0 for a put or a delete. */
  isRead: 5,
  /** Of the whole encoded key. */
  keyBytes: 6,
  text: 8,
  words: 8 + KEY_NOTE_TEXT_BYTES / 4,
} as const;

export const TIMELINE_SECONDS = 300;

/** In doubles. */
export const SECOND = { second: 0, operations: 1, hits: 2, misses: 3, doubles: 4 } as const;

export interface MonitorLayout {
  namesWord: number;
  threadsWord: number;
  directoryWord: number;
  timelinesDouble: number;
  ringsDouble: number;
  keyRingsDouble: number;
  /** Notes of each thread's ring of keys. */
  keyNotes: number;
  sharedBlocksDouble: number;
  ownBlocksDouble: number;
  bytes: number;
}

const toEven = (words: number): number => words + (words & 1);

export function monitorLayout(dimensions: MonitorDimensions): MonitorLayout {
  const { operations, threads, histograms, retention } = dimensions;
  const namesWord = HEADER.words;
  const threadsWord = namesWord + toEven(operations * NAME.words);
  const directoryWord = threadsWord + threads * THREAD.words;
  const timelinesDouble = (directoryWord + toEven(threads * operations)) / 2;
  const ringsDouble = timelinesDouble + threads * TIMELINE_SECONDS * SECOND.doubles;
  const keyRingsDouble = ringsDouble + threads * retention * RECENT.doubles;
  const keyNotes = Math.min(retention, MAX_KEY_NOTES);
  const sharedBlocksDouble = keyRingsDouble + (threads * keyNotes * KEY_NOTE.words) / 2;
  const ownBlocksDouble = sharedBlocksDouble + operations * BLOCK.doubles;
  return {
    namesWord,
    threadsWord,
    directoryWord,
    timelinesDouble,
    ringsDouble,
    keyRingsDouble,
    keyNotes,
    sharedBlocksDouble,
    ownBlocksDouble,
    bytes: (ownBlocksDouble + histograms * BLOCK.doubles) * 8,
  };
}
