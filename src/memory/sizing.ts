import { SharedCacheError } from '../errors.js';
import {
  bucketsFor,
  type ControlGeometry,
  controlGeometry,
  eventWordsFor,
  type ShardGeometry,
  shardGeometry,
  tagSlotsFor,
} from './geometry.js';
import { CHUNK, INDEX_BYTES_PER_ENTRY, MAX_SHARD_BYTES, MAX_THREADS, pageRecordWords } from './layout.js';

export interface SizingRequest {
  maxBytes: number;
  maxEntries: number | undefined;
  shards: number | undefined;
  averageEntryBytes: number;
  /** Thread records; default 256. */
  threadCount?: number | undefined;
  policyShardWords: (capacityEntries: number) => number;
  policyGlobalWords: (totalCapacityEntries: number) => number;
}

export interface Sizing {
  shardCount: number;
  geometry: ShardGeometry;
  /** Entries of a shard; the first `extraEntryShards` shards take one more. */
  shardCapacity: number;
  extraEntryShards: number;
  control: ControlGeometry;
  maxEntryBytes: number;
}

const MB = 1024 * 1024;
const MIN_SHARD_BYTES = MB / 8;
/** In smaller shards a loop that fits the cache may not fit: with 375, s3-fifo lost points on every fifth hash key. */
const MIN_SHARD_ENTRIES = 512;
/** Default shards: one for each MB up to 8 of them, then one for each 4 MB up to 32. More of them would hold too few pages. */
const MAX_SMALL_SHARDS = 8;
const LARGE_SHARD_BYTES = 4 * MB;
const MAX_DEFAULT_SHARDS = 32;
/** What an entry may have at least where the number of shards is ours to choose: a 64th of the cache, and 1 MB from 16 MB on. */
const LEAST_ENTRY_SHARE = 1 / 64;
const LEAST_ENTRY_BYTES = MB;
const LEAST_ENTRY_FROM_BYTES = 16 * MB;
/** Pages of a shard, about; at most twice as many. Each size class may leave one of them nearly empty. */
const PAGES_PER_SHARD = 256;

/** Turns the user's bounds into shards, pages and buckets that together stay within `maxBytes`. */
export function planSizes(request: SizingRequest): Sizing {
  let shardCount = shardCountFor(request);
  let sizing = planShards(request, shardCount);
  if (request.shards !== undefined) return sizing;
  const { maxBytes } = request;
  const least = Math.max(maxBytes * LEAST_ENTRY_SHARE, maxBytes >= LEAST_ENTRY_FROM_BYTES ? LEAST_ENTRY_BYTES : 0);
  // A large index leaves little room for entries.
  while (sizing.maxEntryBytes < least && shardCount > fewestShards(maxBytes)) {
    shardCount /= 2;
    sizing = planShards(request, shardCount);
  }
  return sizing;
}

function planShards(request: SizingRequest, shardCount: number): Sizing {
  const policyEntryBytes = (request.policyShardWords(100_000) + request.policyGlobalWords(100_000)) * 4e-5;
  const entryBytes = request.averageEntryBytes + INDEX_BYTES_PER_ENTRY + policyEntryBytes;
  const tagSlots = tagSlotsFor(request.maxBytes);
  const threadCount = request.threadCount ?? MAX_THREADS;
  const fixedWords = controlGeometry({ threadCount, tagSlots, policyWords: 0 }).words;
  const byBytes = Math.floor((request.maxBytes - fixedWords * 4) / entryBytes / shardCount);
  const byCount = request.maxEntries === undefined ? byBytes : Math.ceil(request.maxEntries / shardCount);
  const capacity = Math.max(1, Math.min(byBytes, byCount));
  const bounded = request.maxEntries !== undefined && byCount <= byBytes;

  const policyWords = request.policyGlobalWords(capacity * shardCount);
  const control = controlGeometry({ threadCount, tagSlots, policyWords });
  const shardBytes = Math.floor((request.maxBytes - control.words * 4) / shardCount / 64) * 64;
  if (shardBytes < MIN_SHARD_BYTES || shardBytes > MAX_SHARD_BYTES) {
    throw new SharedCacheError(
      'ERR_INVALID_OPTION',
      `shards: ${shardCount} shards of ${request.maxBytes} bytes leave ${shardBytes} bytes a shard, allowed are ${MIN_SHARD_BYTES} to ${MAX_SHARD_BYTES}`,
    );
  }
  const geometry = fitGeometry(shardBytes, bucketsFor(capacity), request.policyShardWords(capacity));
  const pageBytes = 2 ** geometry.pageShift;
  return {
    shardCount,
    geometry,
    shardCapacity: bounded ? Math.floor((request.maxEntries as number) / shardCount) : capacity,
    extraEntryShards: bounded ? (request.maxEntries as number) % shardCount : 0,
    control,
    // Three quarters of the pages: what replaces an entry is written before the old one is given up.
    maxEntryBytes: Math.floor(geometry.pageCount * 0.75) * (pageBytes - CHUNK.headWords * 4) - 64,
  };
}

/** As many shards as asked for, but no more than there are entries: a shard without any could store nothing. */
function shardCountFor(request: SizingRequest): number {
  const { maxBytes, maxEntries, shards } = request;
  const wanted = shards ?? defaultShardCount(request);
  if (maxEntries === undefined || wanted <= maxEntries) return wanted;
  const lowered = 2 ** Math.floor(Math.log2(maxEntries));
  const least = fewestShards(maxBytes);
  if (lowered >= least) return lowered;
  throw new SharedCacheError(
    'ERR_INVALID_OPTION',
    `maxEntries: ${maxBytes} bytes take ${least} shards of at most ${MAX_SHARD_BYTES} bytes, and each shard must hold an entry; raise maxEntries from ${maxEntries} to at least ${least}, or lower maxBytes`,
  );
}

function fewestShards(maxBytes: number): number {
  return 2 ** Math.ceil(Math.log2(Math.ceil(maxBytes / MAX_SHARD_BYTES)));
}

function defaultShardCount(request: SizingRequest): number {
  const { maxBytes, maxEntries = Number.POSITIVE_INFINITY, averageEntryBytes } = request;
  const byBytes = Math.max(Math.min(maxBytes / MB, MAX_SMALL_SHARDS), maxBytes / LARGE_SHARD_BYTES);
  const byEntries = Math.min(maxEntries, maxBytes / averageEntryBytes) / MIN_SHARD_ENTRIES;
  const wanted = Math.min(byBytes, byEntries, MAX_DEFAULT_SHARDS);
  return Math.max(2 ** Math.floor(Math.log2(Math.max(1, wanted))), fewestShards(maxBytes));
}

/** As many pages as fit beside the index. */
function fitGeometry(shardBytes: number, bucketCount: number, policyWords: number): ShardGeometry {
  const pageShift = Math.min(16, Math.max(12, Math.floor(Math.log2(shardBytes / PAGES_PER_SHARD))));
  const eventWords = eventWordsFor(shardBytes);
  const empty = shardGeometry({ pageShift, pageCount: 0, bucketCount, policyWords, eventWords });
  const perPage = 2 ** pageShift + pageRecordWords(pageShift) * 4;
  // 64 bytes: the page table's end is aligned to a cache line.
  const pageCount = Math.floor((shardBytes - empty.words * 4 - 64) / perPage);
  if (pageCount < 8) {
    throw new SharedCacheError(
      'ERR_INVALID_OPTION',
      `averageEntryBytes: the index alone needs ${empty.words * 4} of a shard's ${shardBytes} bytes; raise averageEntryBytes or maxBytes`,
    );
  }
  return shardGeometry({ pageShift, pageCount, bucketCount, policyWords, eventWords });
}
