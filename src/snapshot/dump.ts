import { LayOrder, ORDERED_BUCKETS } from '../table/lay-order.js';
import type { Shard } from '../table/shard.js';
import type { Space } from '../table/space.js';
import type { Table } from '../table/table.js';
import { Blocks } from './blocks.js';
import { compressionOf } from './compression.js';
import { AT_ANOTHER_KIND, Copier } from './copier.js';
import { encodeClosing, encodeHeader } from './format.js';
import { checkPath, checkSnapshotOptions, type DumpReport, type SnapshotOptions } from './options.js';
import { OtherEntries } from './other-entries.js';
import { OutputFile } from './output-file.js';
import { Pace } from './pace.js';
import { Recency } from './recency.js';

/** Entries after which the clock is looked at, and their bytes. */
const ENTRIES_BEFORE_LOOK = 256;
const BYTES_BEFORE_LOOK = 256 * 1024;

/** What a dump and a load need of a cache. */
export interface Snapshotted {
  /** The table by the time now, for what begins or comes back from a wait. Throws ERR_CLOSED once the cache was closed. */
  begin(): Table;
  /** The table by the time of the last `begin()`. Throws ERR_CLOSED once the cache was closed. */
  open(): Table;
  readonly maxEntryBytes: number;
  /** Whether it has a codec of the user's. */
  readonly hasCodec: boolean;
}

/**
 * Writes every live entry of the keyspace and of the namespaces inside of it to the file, as it is at some moment of the
 * dump, but for what the tier keeps near. Reads as any reader does: nobody waits for it.
 */
export async function dump(
  cache: Snapshotted,
  space: Space,
  file: string | URL,
  options: SnapshotOptions,
): Promise<DumpReport> {
  const path = checkPath(file);
  const compression = compressionOf(path);
  const pace = new Pace(checkSnapshotOptions(options));
  try {
    cache.begin();
    pace.check();
    const output = await OutputFile.create(path, compression);
    try {
      await new Dump(cache, space, output, pace).write();
      await output.complete();
      pace.bytes = output.fileBytes;
      // The last moment at which an abort, or what onProgress throws, can still leave the old file.
      pace.finish();
      await output.commit();
    } catch (error) {
      await output.discard();
      throw error;
    }
    return { entries: pace.entries, bytes: output.fileBytes, durationMs: pace.durationMs };
  } finally {
    pace.stop();
  }
}

/** A dump under way. */
class Dump {
  readonly #cache: Snapshotted;
  readonly #table: Table;
  readonly #output: OutputFile;
  readonly #pace: Pace;
  readonly #toDate: number;
  readonly #blocks = new Blocks();
  readonly #order = new LayOrder();
  /** For the entries of a namespace, all of which have extras, there is none. */
  readonly #copier: Copier | undefined;
  readonly #others: OtherEntries;
  #bytesLooked = 0;

  constructor(cache: Snapshotted, space: Space, output: OutputFile, pace: Pace) {
    this.#cache = cache;
    this.#table = cache.begin();
    this.#output = output;
    this.#pace = pace;
    this.#toDate = this.#table.clock.toDate();
    const recency = new Recency(this.#table.shards);
    this.#others = new OtherEntries(space, this.#toDate, recency, this.#blocks);
    if (space.prefix.length > 0) return;
    this.#copier = new Copier(this.#toDate, recency, this.#blocks);
    this.#copier.now = this.#table.clock.now();
  }

  async write(): Promise<void> {
    const { clock, shards } = this.#table;
    const codec = this.#cache.hasCodec ? 'custom' : 'default';
    await this.#output.append(encodeHeader({ created: clock.now() + this.#toDate, codec }));
    for (const shard of shards) {
      for (let bucket = 0; bucket < shard.bucketCount; bucket += ORDERED_BUCKETS) {
        this.#order.collect(shard, bucket, Math.min(shard.bucketCount, bucket + ORDERED_BUCKETS));
        await this.#writeOrdered(shard);
      }
    }
    for (const block of this.#blocks.rest()) {
      await this.#output.append(block);
      if (this.#pace.isDue()) await this.#breathe();
    }
    this.#pace.check();
    const { closed } = this.#blocks;
    await this.#output.append(
      encodeClosing({ blocks: closed, entries: this.#pace.entries, bytes: this.#output.bytes }),
    );
  }

  async #writeOrdered(shard: Shard): Promise<void> {
    const { count } = this.#order;
    if (this.#pace.isDue()) await this.#breathe();
    for (let end = 0; end < count; ) {
      let at = end;
      end = Math.min(count, at + ENTRIES_BEFORE_LOOK);
      while (at < end) {
        at = this.#copier?.copy(shard, this.#order, at, end) ?? at;
        if (at < end && (await this.#writeStopped(shard, at))) at++;
        if (this.#hasMovedMuch() && this.#pace.isDue()) await this.#breathe();
      }
      if (this.#pace.isDue()) await this.#breathe();
    }
    this.#pace.entries = this.#entries;
  }

  /** Goes on from where the copier stopped: whether the entry there is done. */
  async #writeStopped(shard: Shard, at: number): Promise<boolean> {
    const full = this.#copier?.stoppedFor ?? AT_ANOTHER_KIND;
    if (full !== AT_ANOTHER_KIND) {
      await this.#output.append(this.#blocks.close(full));
      return false;
    }
    const block = this.#others.take(shard, this.#order.slots[at]);
    if (block !== undefined) await this.#output.append(block);
    this.#others.add();
    return true;
  }

  #hasMovedMuch(): boolean {
    const bytes = this.#others.bytes + (this.#copier?.bytes ?? 0);
    if (bytes - this.#bytesLooked < BYTES_BEFORE_LOOK) return false;
    this.#bytesLooked = bytes;
    return true;
  }

  get #entries(): number {
    return this.#others.entries + (this.#copier?.entries ?? 0);
  }

  async #breathe(): Promise<void> {
    this.#pace.entries = this.#entries;
    this.#pace.bytes = this.#output.fileBytes;
    await this.#pace.breathe();
    // Somebody may have closed the cache meanwhile.
    const { clock } = this.#cache.begin();
    if (this.#copier !== undefined) this.#copier.now = clock.now();
  }
}
