import { keyStart, namesOf } from '../codec/placed-key.js';
import { EXTRAS, NAMESPACES_SHIFT } from '../memory/layout.js';
import { Reading } from '../table/read.js';
import type { Shard } from '../table/shard.js';
import { insideStart, type Space } from '../table/space.js';
import { createWalked, walkTo } from '../table/walk.js';
import type { Blocks } from './blocks.js';
import { EntryToWrite } from './entry-format.js';
import { MAX_SHARED_PAYLOAD_BYTES } from './format.js';
import type { Recency } from './recency.js';

/** A reading whose bytes are written and not handed out: one memory serves for all of them. */
class ReusedReading extends Reading {
  #room = Buffer.allocUnsafeSlow(MAX_SHARED_PAYLOAD_BYTES);

  override target(_kind: number, lengthBytes: number): Buffer {
    if (lengthBytes > this.#room.length) this.#room = Buffer.allocUnsafeSlow(lengthBytes);
    return this.#room;
  }
}

/** Brings entries of every kind into blocks, in the way of all readers: through a reading. */
export class OtherEntries {
  /** Entries written so far, and their bytes. */
  entries = 0;
  bytes = 0;
  readonly #space: Space;
  readonly #recency: Recency;
  readonly #blocks: Blocks;
  readonly #entry: EntryToWrite;
  readonly #reading = new ReusedReading();
  readonly #walked = createWalked();
  /** The generation of the entry that is taken and not added; -1 without one. */
  #generation = -1;

  constructor(space: Space, toDate: number, recency: Recency, blocks: Blocks) {
    this.#space = space;
    this.#entry = new EntryToWrite(toDate);
    this.#recency = recency;
    this.#blocks = blocks;
  }

  /** Reads the entry in the slot, if it is to be in the dump. What it returns is to be written before `add`. */
  take(shard: Shard, slot: number): Buffer | undefined {
    this.#generation = -1;
    const walked = this.#walked;
    if (!walkTo(shard, slot, walked, this.#reading, true)) return undefined;
    const { key, keyBytes } = walked;
    const from = insideStart(this.#space, key, keyBytes);
    if (from < 0 || isCovered(this.#reading, key, keyBytes)) return undefined;
    this.#entry.take(this.#reading, key, from, keyBytes);
    this.#generation = this.#recency.generationOf(shard, slot, this.#reading.ref);
    return this.#blocks.full(this.#generation, this.#entry);
  }

  /** Adds what was taken. */
  add(): void {
    if (this.#generation < 0) return;
    this.#blocks.add(this.#generation, this.#entry);
    this.entries++;
    this.bytes += this.#entry.lengthBytes;
  }
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
