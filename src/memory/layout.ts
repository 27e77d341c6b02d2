/**
 * Every offset, width and mask of the shared memory, in one place. Nothing else restates a number from here.
 *
 * A cache is one *control* buffer and one or more *segment* buffers; a shard never crosses a segment.
 *
 *   control   ┌────────┬────────┬─────────────┬───────┬────────────┬────────────────┬───────────────────────┬────────────────┐
 *             │ header │ leases │ lease homes │ waits │ tags (f64) │ thread records │ thread counters (f64) │ policy, shared │
 *             └────────┴────────┴─────────────┴───────┴────────────┴────────────────┴───────────────────────┴────────────────┘
 *   shard     ┌────────────┬─────────┬────────────┬────────────┬─────────┬────────┬─────────┬───────┬────────┬──────┐
 *             │ shard head │ journal │ class heads│ page table │ changes │ events │ buckets │ links │ policy │ heap │
 *             └────────────┴─────────┴────────────┴────────────┴─────────┴────────┴─────────┴───────┴────────┴──────┘
 *   bucket    ┌──────────────────────┬──────────────────────┬───────────────────────┬──────────┐
 *   (64 B)    │ 7 hashes (words 0-6) │ 7 refs  (words 7-13) │ 7 marks (bytes 56-62) │ overflow │
 *             └──────────────────────┴──────────────────────┴───────────────────────┴──────────┘
 *   entry     ┌──────┬────────────┬────────┬─────────┬───────────────────┬────────────────────┬─────────────┬───────┐
 *   (24 B     │ meta │ valueBytes │ policy │ version │ expiry | version  │ [next, here, hash] │ key, padded │ value │
 *   and more) └──────┴────────────┴────────┴─────────┴───────────────────┴──only if chained───┴──to a word──┴───────┘
 *   extended  ┌────────────┬───────────┬──────────────┬──────────────┬────────┬───────────────┬───────────┬─────────┐
 *   entry's   │ extraBytes │ begun f53 │ graceEnd f53 │ lifetime f53 │ counts │ tags' hashes  │ tags' text│ value   │
 *   value     └────────────┴───────────┴──────────────┴──────────────┴────────┴───────────────┴───────────┴─────────┘
 *   event     ┌────────┬────────────────┬─────────────┐
 *             │ number │ cause|keyBytes │ key, padded │
 *             └────────┴────────────────┴─────────────┘
 *   chunk     ┌──────┬──────┬──────┬──────┬─────────────────────────────────────────────────────────────────┐
 *             │ CHUNK│ next │ here │ hash │ the next `here` bytes of key and value                          │
 *             └──────┴──────┴──────┴──────┴─────────────────────────────────────────────────────────────────┘
 *
 * Zero means empty everywhere: a freshly allocated buffer is a valid empty shard.
 */

export const MAGIC = 0x4d4f4f4e; // "MOON"
export const LAYOUT_VERSION = 3;

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
  /** Thread records there are. */
  threadCount: 19,
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
  /** f64 in a cache line of its own: the coarse clock. */
  clock: 32,
  /** f64: what the clock said when the sweeper last advanced it. */
  tickedAt: 34,
  /** f64: what turns the machine's monotonic ms into the cache's time. */
  clockOffset: 36,
  /** Lock of the leases: word, version, waiters, as in a shard's head. */
  leaseLock: 48,
  /** Counts the releases of all leases; who finds none free sleeps on it. */
  leaseReleases: 51,
  /** Slots of the tag table, a power of two. */
  tagSlots: 52,
  /** Words of each shard's ring of events, a power of two. */
  eventWords: 53,
  /** f64: bytes of values that a thread keeps near, at most; for caches of frozen values. */
  nearBytes: 54,
  /** f64 in a cache line that only invalidations and the threads that listen change: the number of the last invalidation. */
  invalidations: 64,
  /** f64: the number that the last clear() of the whole cache got. */
  clearedAt: 66,
  /** Bit n is set while somebody listens for entries that leave by cause n. */
  listening: 68,
  /** Owner number of the thread that tracks what a fleet's other members change, 0 when none does; see src/tier/link.ts. */
  tracker: 69,
  /** f64: when the tracker last showed that it runs, ms. */
  trackerBeat: 70,
  /** f64: since when changes may go unnoticed, ms; 0 while all are told; negative once what came before was dropped. */
  unlinkedAt: 72,
  /** f64: entries that others changed, and how often everything from the remote was dropped. */
  remoteInvalidations: 74,
  remoteFlushes: 76,
  /** Counts what was told; loads that wait for another member sleep on it. */
  told: 78,
  /** Hash of the prefix of the fleet that the cache belongs to, 0 for none. */
  fleet: 79,
  words: 80,
} as const;

/** Bits of CONTROL.flags. */
export const FLAG_CUSTOM_CODEC = 1;
export const FLAG_FROZEN = 2;

// ---- thread records --------------------------------------------------------------------------------------------
/** Threads attached at one time to a cache of one process, and to one of many. */
export const MAX_THREADS = 256;
export const MAX_THREADS_OF_PROCESSES = 1024;
/** An owner number is `generation << OWNER_INDEX_BITS | index of the thread record`, so a dead owner's number does not
 *  come back before its record was reused 2 million times. */
export const OWNER_INDEX_BITS = 10;
export const MAX_GENERATION = 2 ** 21 - 1;

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
  /** Bit n is set while the thread listens for entries that leave by cause n. */
  listening: 13,
  words: 16,
} as const;

export const THREAD_FREE = 0;

/** Counters of one thread, f64 each; only that thread writes them. */
export const COUNTER = {
  hits: 0,
  misses: 1,
  puts: 2,
  rejections: 3,
  recoveries: 4,
  lockTimeouts: 5,
  loads: 6,
  waits: 7,
  takeovers: 8,
  invalidations: 9,
  /** The first of seven: entries that left, by cause. */
  left: 10,
} as const;

/** Why an entry leaves; the place of each is its number in shared memory. */
export const CAUSES = ['evicted', 'expired', 'deleted', 'replaced', 'invalidated', 'cleared', 'refused'] as const;
export const CAUSE = {
  evicted: 0,
  expired: 1,
  deleted: 2,
  replaced: 3,
  invalidated: 4,
  cleared: 5,
  refused: 6,
} as const;
export const COUNTERS = 24;
export const LEASES_WORD = CONTROL.words;

// ---- single-flight leases --------------------------------------------------------------------------------------
/** Keys that can be loading at one time; a power of two. More wait for their turn. */
export const LEASE_COUNT = 2048;
export const LEASE_WORDS = 8;
export const LEASE = {
  /** Owner number of the thread that loads, 0 when free. */
  owner: 0,
  hash: 1,
  /** A second hash of the key, under another key. */
  identity: 2,
  /** Counts releases; waiters sleep on it. */
  ticket: 3,
  /** number of the load << 1 | whether it was overtaken. */
  load: 4,
  /** When the load last showed that its thread's event loop turns, ms; 0 when it need not. */
  beat: 5,
  /** f64: the number of the last invalidation when the load began. */
  begun: 6,
} as const;
/** Leases held whose key's hash ends in this number: what a write looks at before it looks for a lease. */
export const LEASE_HOMES_WORD = LEASES_WORD + LEASE_COUNT * LEASE_WORDS;
export const WAITS_WORD = LEASE_HOMES_WORD + LEASE_COUNT;

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

// ---- tags ------------------------------------------------------------------------------------------------------
/** f64 per slot: the number of the last invalidation of a tag that has the slot for one of its two. */
export const TAGS_WORD = WAITS_WORD + WAIT_COUNT * WAIT_WORDS;
/** One slot of the tag table for so many bytes of `maxBytes`, within these bounds. */
export const BYTES_PER_TAG_SLOT = 8192;
export const MIN_TAG_SLOTS = 1024;
export const MAX_TAG_SLOTS = 65_536;

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
  /** Entries past their TTL that are kept for a loader's failure; they do not count as entries of the cache. */
  past: 15,
  /** f64: the number of the last write, an entry's version. */
  writes: 16,
  /** f64: the invalidation up to which all entries were looked at, and that up to which the round under way will have. */
  sweptInvalidation: 18,
  sweepingInvalidation: 20,
  /** Where the oldest event in the ring begins and the newest ends, in words since the beginning of time, and how many
   *  events there were. */
  eventsBegin: 22,
  eventsEnd: 23,
  events: 24,
  headWords: 32,
} as const;

/** Words of a value that a put rewrites where they are, after journaling all of them. */
export const MAX_OVERWRITTEN_WORDS = 128;
/** Most journaled stores between two commits: a value rewritten in place with its head (6), its event (2) and a policy step
 *  (24), or a put that replaces (30), a probe path (16) and a policy step. */
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
/** An entry's share of its bucket and links. */
export const INDEX_BYTES_PER_ENTRY = ((BUCKET_WORDS + (LINK_WORDS << SLOT_SHIFT)) * 4) / BUCKET_LOAD;

// ---- events ----------------------------------------------------------------------------------------------------
export const EVENT = {
  /** Counts the shard's events, so that a gap tells how many were lost. */
  number: 0,
  /** cause << EVENT_CAUSE_SHIFT | key bytes. */
  meta: 1,
  headWords: 2,
} as const;
/** The bits below hold up to MAX_STORED_KEY_BYTES. */
export const EVENT_CAUSE_SHIFT = 17;
export const EVENT_KEY_MASK = (1 << EVENT_CAUSE_SHIFT) - 1;
/** A shard's ring has a 256th of its bytes, a small shard's up to a 64th: enough for some thousand events of a cache. */
export const SHARD_BYTES_PER_EVENT_BYTE = 256;
export const SMALL_SHARD_BYTES_PER_EVENT_BYTE = 64;
export const SMALL_EVENT_BYTES = 16_384;
export const MIN_EVENT_WORDS = 512;
export const MAX_EVENT_WORDS = 65_536;

// ---- entries and chunks ----------------------------------------------------------------------------------------
/** A ref is a byte offset in the shard divided by 8; 0 is no entry. */
export const REF_SHIFT = 3;

export const ENTRY = {
  meta: 0,
  valueBytes: 1,
  policy: 2,
  /** Low word of the version, which has 52 bits. */
  version: 3,
  /** Low word of the time it expires at, in ms, which has 44 bits. */
  expiry: 4,
  /** The high 12 bits of the expiry below the high 20 of the version. */
  high: 5,
  headWords: 6,
  /** The next three exist only in chained entries. */
  next: 6,
  here: 7,
  /** The key's hash, which tells its chunks from others. */
  hash: 8,
  chainedHeadWords: 9,
} as const;

/** meta = key bytes (17 bits) | kind << 17 (8 bits) | flags. */
export const META_KEY_MASK = 0x1ffff;
export const META_KIND_SHIFT = 17;
export const META_KIND_MASK = 0xff;
export const META_CHAINED = 1 << 25;
/** The value begins with extras: tags, a grace period. */
export const META_EXTENDED = 1 << 26;
/** The entry is past its TTL, was seen so, and is counted in SHARD.past. */
export const META_PAST = 1 << 27;

export const EXPIRY_HIGH_BITS = 12;
export const EXPIRY_HIGH_MASK = 2 ** EXPIRY_HIGH_BITS - 1;
/** Stands for an expiry that never comes: all bits set. */
export const NEVER = 2 ** 44 - 1;

/** What an extended entry has before its value, in words; numbers of 53 bits as low word and high word. */
export const EXTRAS = {
  /** Bytes of all of this, a multiple of 4. */
  lengthBytes: 0,
  /** The number of the last invalidation when the write was begun. */
  begun: 1,
  /** Until when it is kept for a loader's failure, ms; 0 when its TTL is the end. */
  graceEnd: 3,
  /** The TTL it was given, ms; 0 when it never expires. */
  lifetime: 5,
  /** Hashes of its namespaces << NAMESPACES_SHIFT | user's tags. */
  counts: 7,
  headWords: 8,
} as const;
export const NAMESPACES_SHIFT = 8;
export const TAGS_MASK = 0xff;

/** Its meta is where an entry has its own, so a block tells what it is. */
export const CHUNK = { meta: ENTRY.meta, next: 1, here: 2, hash: 3, headWords: 4 } as const;
/** In the place of an entry's meta; negative, so never one. */
export const CHUNK_META = -1;

export const MAX_KEY_BYTES = 65_536;
/** What the names of a key's namespaces may add to it. */
export const MAX_PREFIX_BYTES = 32_768;
export const MAX_STORED_KEY_BYTES = MAX_KEY_BYTES + MAX_PREFIX_BYTES;
/** 2^31 / 8: refs, byte offsets and sizes of one shard all fit in an int32. */
export const MAX_SHARD_BYTES = 2 ** 31 - 2 ** 20;
