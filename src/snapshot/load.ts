import { SharedCacheError } from '../errors.js';
import { MAX_STORED_KEY_BYTES } from '../memory/layout.js';
import { NO_SLOT } from '../table/buckets.js';
import type { Draft } from '../table/draft.js';
import { fits, putLocked } from '../table/put.js';
import type { Shard } from '../table/shard.js';
import type { Space } from '../table/space.js';
import { hasRoomLocked } from '../table/spare.js';
import { ABSENT, versionLocked } from '../table/version.js';
import { type Compression, compressionOf } from './compression.js';
import type { Contents, ReadBlock } from './contents.js';
import type { Snapshotted } from './dump.js';
import { EntryReader, MAX_ENTRY_OVERHEAD_BYTES } from './entry-format.js';
import { Incoming } from './incoming.js';
import { InputFile } from './input-file.js';
import { checkPath, checkSnapshotOptions, type LoadReport, type SnapshotOptions } from './options.js';
import { Pace } from './pace.js';
import { PackedContents } from './packed-contents.js';
import { PlainContents } from './plain-contents.js';
import { Room } from './room.js';

/** Entries after which the clock is looked at. */
const ENTRIES_BEFORE_LOOK = 32;

/** What becomes of an entry of the file. */
type Outcome = 'entries' | 'present' | 'expired' | 'refused';

/** Stores what the file holds and the keyspace does not: those used longest ago first, so that recency is as it was. */
export async function load(
  cache: Snapshotted,
  space: Space,
  file: string | URL,
  options: SnapshotOptions,
): Promise<LoadReport> {
  const path = checkPath(file);
  const compression = compressionOf(path);
  const pace = new Pace(checkSnapshotOptions(options));
  try {
    // From here on invalidations and clears reach what is loaded.
    const incoming = new Incoming(cache.begin(), space);
    pace.check();
    const input = await InputFile.open(path);
    try {
      const contents = await contentsOf(input, compression, pace, cache.maxEntryBytes);
      if (contents.header.codec === 'custom' && !cache.hasCodec) {
        throw new SharedCacheError(
          'ERR_INVALID_OPTION',
          'the file holds values of a codec: it can be loaded into a cache with the same codec only',
        );
      }
      const report = await new Loading(cache, incoming, contents, pace).run();
      pace.finish();
      return { ...report, durationMs: pace.durationMs };
    } finally {
      await input.close();
    }
  } finally {
    pace.stop();
  }
}

function contentsOf(
  input: InputFile,
  compression: Compression | undefined,
  pace: Pace,
  maxEntryBytes: number,
): Promise<Contents> {
  // What is longer is one entry, which can be refused unread: nothing is allocated for it.
  const mostPayloadBytes = maxEntryBytes + MAX_STORED_KEY_BYTES + MAX_ENTRY_OVERHEAD_BYTES;
  return compression === undefined
    ? PlainContents.of(input, pace, mostPayloadBytes)
    : PackedContents.of(input, compression, pace, mostPayloadBytes);
}

class Loading {
  readonly #cache: Snapshotted;
  readonly #contents: Contents;
  readonly #pace: Pace;
  readonly #incoming: Incoming;
  readonly #reader = new EntryReader();
  readonly #counts = { entries: 0, present: 0, expired: 0, refused: 0 };
  /** Undefined while there is room for everything. */
  #room: Room | undefined;
  #damaged: string | undefined;

  constructor(cache: Snapshotted, incoming: Incoming, contents: Contents, pace: Pace) {
    this.#cache = cache;
    this.#contents = contents;
    this.#pace = pace;
    this.#incoming = incoming;
    this.#damaged = contents.damaged;
  }

  async run(): Promise<Omit<LoadReport, 'durationMs'>> {
    await this.#plan();
    for await (const block of this.#contents.oldestFirst()) {
      if (block.payload === 'too large') this.#counts.refused++;
      else await this.#eachEntry(block, () => this.#store(block.generation));
      this.#pace.entries += block.entries;
      this.#pace.bytes += block.payloadBytes;
    }
    if (this.#pace.entries < this.#contents.totals.entries) this.#damaged ??= 'the file has changed while it was read';
    return this.#damaged === undefined ? this.#counts : { ...this.#counts, damaged: this.#damaged };
  }

  /** Looks at everything once when there may be no room for all of it. */
  async #plan(): Promise<void> {
    const { totals } = this.#contents;
    const room = new Room(this.#cache.open().shards);
    if (room.isAmple(totals)) return;
    for await (const block of this.#contents.inAnyOrder()) {
      if (block.payload !== 'too large') await this.#eachEntry(block, () => this.#reserve(room, block.generation));
    }
    room.settle();
    this.#room = room;
  }

  /** Calls `visit` with the reader at each entry of the block, if the block is whole. */
  async #eachEntry({ payload, payloadAt, entries }: ReadBlock, visit: () => void): Promise<void> {
    this.#cache.begin();
    if (typeof payload === 'string') {
      this.#damaged ??= `the block at byte ${payloadAt} is damaged`;
      return;
    }
    this.#reader.begin(payload);
    for (let i = 0; i < entries; i++) {
      if (!this.#reader.next()) {
        this.#damaged ??= `the block at byte ${payloadAt} has entries that make no sense`;
        return;
      }
      visit();
      if (i % ENTRIES_BEFORE_LOOK === 0 && this.#pace.isDue()) await this.#pause();
    }
    if (this.#pace.isDue()) await this.#pause();
  }

  #reserve(room: Room, generation: number): void {
    const draft = this.#incoming.draft(this.#reader);
    if (typeof draft === 'string' || !fits(draft, this.#cache.maxEntryBytes)) return;
    const table = this.#cache.open();
    const shard = table.shardOf(draft.key.hash);
    const isPresent = shard.locked(false, () => versionLocked(shard, draft.key) !== ABSENT);
    if (!isPresent) room.reserve(shard, generation, draft);
  }

  #store(generation: number): void {
    const draft = this.#incoming.draft(this.#reader);
    this.#counts[typeof draft === 'string' ? draft : this.#storeDraft(draft, generation)]++;
  }

  #storeDraft(draft: Draft, generation: number): Outcome {
    const table = this.#cache.open();
    const shard = table.shardOf(draft.key.hash);
    return shard.locked<Outcome>('refused', () => this.#storeLocked(shard, draft, generation));
  }

  /** A load that was begun for the key is not overtaken: what it finds is younger than the file. */
  #storeLocked(shard: Shard, draft: Draft, generation: number): Outcome {
    if (versionLocked(shard, draft.key) !== ABSENT) return 'present';
    const { maxEntryBytes } = this.#cache;
    if (this.#incoming.isCleared || !fits(draft, maxEntryBytes)) return 'refused';
    if (this.#room?.admits(shard, generation, draft) === false || !hasRoomLocked(shard, draft)) return 'refused';
    return putLocked(shard, draft, maxEntryBytes) === NO_SLOT ? 'refused' : 'entries';
  }

  async #pause(): Promise<void> {
    await this.#pace.breathe();
    // Somebody may have closed the cache meanwhile.
    this.#cache.begin();
  }
}
