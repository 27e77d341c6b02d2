/**
 * Every offset, width and mask of the shared memory, in one place. Nothing else restates a number from here.
 *
 * A cache is one *control* buffer and one or more *segment* buffers; a shard never crosses a segment.
 *
 *   control   ┌────────┬────────────────┬───────────────────────┬────────┬───────┬────────────────┐
 *             │ header │ thread records │ thread counters (f64) │ leases │ waits │ policy, shared │
 *             └────────┴────────────────┴───────────────────────┴────────┴───────┴────────────────┘
 *   shard     ┌────────────┬─────────┬────────────┬────────────┬─────────┬─────────┬─────────┬────────┬─────────┐
 *             │ shard head │ journal │ class heads│ page table │ changes │ buckets │ links   │ policy │ heap    │
 *             └────────────┴─────────┴────────────┴────────────┴─────────┴─────────┴─────────┴────────┴─────────┘
 *   bucket    ┌──────────────────────┬──────────────────────┬───────────────────────┬──────────┐
 *   (64 B)    │ 7 hashes (words 0-6) │ 7 refs  (words 7-13) │ 7 marks (bytes 56-62) │ overflow │
 *             └──────────────────────┴──────────────────────┴───────────────────────┴──────────┘
 *   entry     ┌──────┬──────┬───────────┬────────┬───────────────┬──────────────────┬─────────────┬───────┐
 *             │ hash │ meta │ valueBytes│ policy │ expiresAt f64 │ [next, here]     │ key, padded │ value │
 *             └──────┴──────┴───────────┴────────┴───────────────┴──only if chained─┴──to a word──┴───────┘
 *   chunk     ┌──────┬──────┬──────┬──────┬─────────────────────────────────────────────────────────────────┐
 *             │ next │ CHUNK│ here │ hash │ the next `here` bytes of key and value                          │
 *             └──────┴──────┴──────┴──────┴─────────────────────────────────────────────────────────────────┘
 *
 * Zero means empty everywhere: a freshly allocated buffer is a valid empty shard.
 */

export const MAGIC = 0x4d4f4f4e; // "MOON"
export const LAYOUT_VERSION = 1;

// ---- control header (words) ------------------------------------------------------------------------------------
export const CONTROL = {
  magic: 0,
  layoutVersion: 1,
  shardCount: 2,
  shardWords: 3,
  shardsPerSegment: 4,
  pageShift: 5,
  pageCount: 6,
  bucketCount: 7,
  policyShardWords: 8,
  policyGlobalWords: 9,
  evictionId: 10,
  flags: 11,
  hashKey0: 12,
  hashKey1: 13,
  cacheId0: 14,
  cacheId1: 15,
  /** Which shards hold one entry more: the first `extraEntryShards` of them. */
  shardCapacity: 16,
  extraEntryShards: 17,
  lockTimeoutMs: 18,
  /** Lock of the policy's shared area: word, version, waiters, as in a shard's head. */
  policyLock: 20,
  /** 1 while a sweeper keeps the clock going. */
  ticking: 23,
  /** f64: default TTL in ms. */
  defaultTtl: 24,
  /** f64: the user's maxBytes. */
  maxBytes: 26,
  /** f64: the user's maxEntries, 0 when there is none. */
  maxEntries: 28,
  /** f64: largest key + value of an entry, in bytes. */
  maxEntryBytes: 30,
  /** f64 in a cache line of its own: coarse Date.now(). */
  clock: 32,
  /** f64: Date.now() when the sweeper last advanced the clock. */
  tickedAt: 34,
  /** Lock of the leases: word, version, waiters, as in a shard's head. */
  leaseLock: 48,
  /** Counts the releases of all leases; who finds none free sleeps on it. */
  leaseReleases: 51,
  words: 64,
} as const;

/** Bits of CONTROL.flags. */
export const FLAG_CUSTOM_CODEC = 1;

// ---- thread records --------------------------------------------------------------------------------------------
/** Threads attached at one time. */
export const MAX_THREADS = 256;
/** An owner number is `generation << OWNER_INDEX_BITS | index of the thread record`, so a dead owner's number does not
 *  come back before its record was reused 4 million times. */
export const OWNER_INDEX_BITS = 8;
export const MAX_GENERATION = 2 ** 22 - 1;

export const THREAD = {
  /** 0 free; > 0 attached: the record's generation; < 0: minus the mark of the thread that is attaching. */
  state: 0,
  /** The asker stores 1 and notifies: "repair whatever names you". */
  ask: 1,
  /** Identity of the OS thread, see sync/liveness.ts. */
  identity: 2,
  identityWords: 6,
  generation: 8,
  /** 1: a thread of the cache's own, not one of the user's. */
  service: 9,
  /** 1 while the thread blocks for the load of the key with these two hashes. */
  blocked: 10,
  blockedHash: 11,
  blockedIdentity: 12,
  words: 16,
} as const;

export const THREAD_FREE = 0;

/** Counters of one thread, f64 each; only that thread writes them. */
export const COUNTER = {
  hits: 0,
  misses: 1,
  puts: 2,
  deletes: 3,
  evictions: 4,
  expirations: 5,
  rejections: 6,
  recoveries: 7,
  lockTimeouts: 8,
  loads: 9,
  waits: 10,
  takeovers: 11,
} as const;
export const COUNTERS = 16;

export const THREADS_WORD = CONTROL.words;
export const COUNTERS_WORD = THREADS_WORD + MAX_THREADS * THREAD.words;
export const LEASES_WORD = COUNTERS_WORD + MAX_THREADS * COUNTERS * 2;

// ---- single-flight leases --------------------------------------------------------------------------------------
/** Keys that can be loading at one time; a power of two. More wait for their turn. */
export const LEASE_COUNT = 2048;
export const LEASE_WORDS = 4;
export const LEASE = {
  /** Owner number of the thread that loads, 0 when free. */
  owner: 0,
  hash: 1,
  /** A second hash of the key, under another key. */
  identity: 2,
  /** Counts releases; waiters sleep on it. */
  ticket: 3,
} as const;
export const WAITS_WORD = LEASES_WORD + LEASE_COUNT * LEASE_WORDS;

// ---- loads that wait for loads -----------------------------------------------------------------------------------
/** Calls from inside of loaders that can wait at one time; more load for themselves. */
export const WAIT_COUNT = 2048;
export const WAIT_WORDS = 5;
export const WAIT = {
  /** Owner number of the thread that waits, its negative while the words below are written, 0 when free. */
  owner: 0,
  /** Both hashes of the key whose loader waits. */
  fromHash: 1,
  fromIdentity: 2,
  /** Both hashes of the key it waits for. */
  toHash: 3,
  toIdentity: 4,
} as const;
export const POLICY_GLOBAL_WORD = WAITS_WORD + WAIT_COUNT * WAIT_WORDS;

// ---- shard head (words) ----------------------------------------------------------------------------------------
export const SHARD = {
  /** >= 0: even version, free. < 0: minus the owner's number. */
  lock: 0,
  /** The version the lock word gets at the next unlock. */
  version: 1,
  /** Nonzero when somebody waits on the lock word. */
  waiters: 2,
  journalLength: 3,
  entries: 4,
  /** Heap bytes in use, in units of 8. */
  usedUnits: 5,
  /** 1 while the shard is being cleared: a thief starts the clear again. */
  clearing: 6,
  /** Ref of a chain of chunks not yet part of an entry. */
  pending: 7,
  /** Ref of a chain of chunks no longer part of an entry. */
  dying: 8,
  /** Pages below this number have been used before. */
  freshPages: 9,
  /** 1 + page number at the head of the list of emptied pages. */
  freePages: 10,
  freePageCount: 11,
  /** 1 + number of the page whose blocks are being moved away; a hint, any value is valid. */
  vacating: 12,
  /** Page the background sweep goes on with; a hint. */
  sweepPage: 13,
  /** Counts the keys that came; a hint. */
  inserts: 14,
  headWords: 16,
} as const;

/** Words of a value that a put rewrites where they are, after journaling all of them. */
export const MAX_OVERWRITTEN_WORDS = 128;
/** Most journaled stores between two commits: a value rewritten in place with its head (4) and a policy step (24), or a put
 *  that replaces (27), a probe path (16) and a policy step. */
export const JOURNAL_CAPACITY = MAX_OVERWRITTEN_WORDS + 32;
export const JOURNAL_WORD = SHARD.headWords;
/** The class heads follow: [1 + first page with a free block, free blocks] per size class. */
export const CLASSES_WORD = JOURNAL_WORD + 2 * JOURNAL_CAPACITY;
export const MAX_CLASSES = 96;
export const CLASS_WORDS = 2;
export const PAGES_WORD = CLASSES_WORD + MAX_CLASSES * CLASS_WORDS;

// ---- page table ------------------------------------------------------------------------------------------------
export const PAGE = {
  /** 1 + size class, 0 while the page is free. */
  class: 0,
  used: 1,
  /** 1 + page number. */
  next: 2,
  prev: 3,
  /** No entry of the page expires before this many seconds after EXPIRY_EPOCH_MS; 0 when none expires at all. May be too
   *  early, never too late. */
  earliest: 4,
  /** Bitmap, 1 = used. */
  bitmap: 5,
} as const;
/** Lets page expiries fit in an int32 until 2088. */
export const EXPIRY_EPOCH_MS = 1_600_000_000_000;
/** Smallest block; one bit of the bitmap stands for one block. */
export const MIN_BLOCK_BYTES = 32;

export function pageRecordWords(pageShift: number): number {
  return PAGE.bitmap + Math.max(1, 2 ** pageShift / MIN_BLOCK_BYTES / 32);
}

// ---- change counts ---------------------------------------------------------------------------------------------
/** So many slots share a count of changes, or more. */
export const SLOTS_PER_CHANGE_COUNT = 2;
export const MIN_CHANGE_COUNTS = 64;
export const MAX_CHANGE_COUNTS = 16_384;

// ---- buckets and slots -----------------------------------------------------------------------------------------
export const BUCKET_WORDS = 16;
export const BUCKET_SLOTS = 7;
/** A slot's number is `bucket << SLOT_SHIFT | place`; place 7 does not exist. */
export const SLOT_SHIFT = 3;
export const BUCKET_REFS = 7;
export const BUCKET_MARKS_BYTE = 56;
/** Word whose top byte counts the entries that passed this full bucket on their way to a later one. */
export const BUCKET_OVERFLOW = 15;
export const OVERFLOW_UNIT = 1 << 24;
/** Buckets looked at for one key, at most. */
export const MAX_PROBE = 16;
/** Entries a bucket is sized for: a load of 0.75. */
export const BUCKET_LOAD = 5.25;
export const LINK_WORDS = 2;

// ---- entries and chunks ----------------------------------------------------------------------------------------
/** A ref is a byte offset in the shard divided by 8; 0 is no entry. */
export const REF_SHIFT = 3;

export const ENTRY = {
  hash: 0,
  meta: 1,
  valueBytes: 2,
  policy: 3,
  /** f64 */
  expiresAt: 4,
  headWords: 6,
  /** The next two exist only in chained entries. */
  next: 6,
  here: 7,
  chainedHeadWords: 8,
} as const;

/** meta = key bytes (17 bits) | kind << 17 | chained << 25. */
export const META_KEY_MASK = 0x1ffff;
export const META_KIND_SHIFT = 17;
export const META_KIND_MASK = 0xff;
export const META_CHAINED = 1 << 25;

export const CHUNK = { next: 0, meta: 1, here: 2, hash: 3, headWords: 4 } as const;
/** In the place of an entry's meta; negative, so never one. */
export const CHUNK_META = -1;

export const MAX_KEY_BYTES = 65_536;
/** 2^31 / 8: refs, byte offsets and sizes of one shard all fit in an int32. */
export const MAX_SHARD_BYTES = 2 ** 31 - 2 ** 20;
