import { EXTRAS, NAMESPACES_SHIFT } from '../memory/layout.js';
import { Reading } from '../table/read.js';
import { insideStart, keyStart, namesOf, type Space } from '../table/space.js';
import type { Table } from '../table/table.js';
import { createWalked, eachEntryOf } from '../table/walk.js';
import { Blocks } from './blocks.js';
import { compressionOf } from './compression.js';
import { EntryToWrite } from './entry-format.js';
import { encodeClosing, encodeHeader, MAX_SHARED_PAYLOAD_BYTES } from './format.js';
import { checkPath, checkSnapshotOptions, type DumpReport, type SnapshotOptions } from './options.js';
import { OutputFile } from './output-file.js';
import { Pace } from './pace.js';
import { Recency } from './recency.js';

/** Buckets that are walked before the clock is looked at, however few entries they hold. */
const WALKED_BUCKETS = 1024;
/** Entries after which the clock is looked at, and their bytes. */
const ENTRIES_BEFORE_LOOK = 32;
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
      await writeAll(cache, space, output, pace);
      await output.commit();
      pace.bytes = output.fileBytes;
    } catch (error) {
      await output.discard();
      throw error;
    }
    pace.finish();
    return { entries: pace.entries, bytes: output.fileBytes, durationMs: pace.durationMs };
  } finally {
    pace.stop();
  }
}

/** A reading whose bytes are written and not handed out: one memory serves for all of them. */
class ReusedReading extends Reading {
  #room = Buffer.allocUnsafeSlow(MAX_SHARED_PAYLOAD_BYTES);

  override target(_kind: number, lengthBytes: number): Buffer {
    if (lengthBytes > this.#room.length) this.#room = Buffer.allocUnsafeSlow(lengthBytes);
    return this.#room;
  }
}

async function writeAll(cache: Snapshotted, space: Space, output: OutputFile, pace: Pace): Promise<void> {
  const { clock, shards } = cache.begin();
  const recency = new Recency(shards);
  const reading = new ReusedReading();
  const entry = new EntryToWrite(clock.toDate());
  const blocks = new Blocks();
  const walked = createWalked();
  await output.append(
    encodeHeader({ created: clock.now() + clock.toDate(), codec: cache.hasCodec ? 'custom' : 'default' }),
  );
  let left = ENTRIES_BEFORE_LOOK;
  let bytesLeft = BYTES_BEFORE_LOOK;
  for (const shard of shards) {
    for (let bucket = 0; bucket < shard.bucketCount; bucket += WALKED_BUCKETS) {
      const end = Math.min(shard.bucketCount, bucket + WALKED_BUCKETS);
      for (const { key, keyBytes, slot } of eachEntryOf(shard, bucket, end, walked, reading, true)) {
        const from = insideStart(space, key, keyBytes);
        if (from < 0 || isCovered(reading, key, keyBytes)) continue;
        entry.take(reading, key, from, keyBytes);
        const generation = recency.generationOf(shard, slot, reading.ref);
        const full = blocks.full(generation, entry);
        if (full !== undefined) {
          const written = output.append(full);
          if (written !== undefined) await written;
        }
        blocks.add(generation, entry);
        pace.entries++;
        bytesLeft -= entry.lengthBytes;
        if (--left > 0 && bytesLeft > 0) continue;
        left = ENTRIES_BEFORE_LOOK;
        bytesLeft = BYTES_BEFORE_LOOK;
        if (pace.isDue()) await pause(cache, output, pace);
      }
      if (pace.isDue()) await pause(cache, output, pace);
    }
  }
  for (const block of blocks.rest()) {
    await output.append(block);
    if (pace.isDue()) await pause(cache, output, pace);
  }
  pace.check();
  await output.append(encodeClosing({ blocks: blocks.closed, entries: pace.entries, bytes: output.bytes }));
}

/**
 * Whether the entry belongs to more than the namespaces of its key: to what the tier keeps near (tier/near.ts). That is the
 * remote's, and true as long as the link tells of changes, which a file does not.
 */
function isCovered(reading: Reading, key: Buffer, keyBytes: number): boolean {
  if (!reading.isExtended) return false;
  const namespaces = reading.extras.words[EXTRAS.counts] >>> NAMESPACES_SHIFT;
  return namespaces > 0 && namespaces > namesOf(key, keyStart(key, keyBytes)).length;
}

async function pause(cache: Snapshotted, output: OutputFile, pace: Pace): Promise<void> {
  pace.bytes = output.fileBytes;
  await pace.breathe();
  // Somebody may have closed the cache meanwhile.
  cache.begin();
}
