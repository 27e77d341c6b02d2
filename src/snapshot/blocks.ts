import type { EntryToWrite } from './entry-format.js';
import { BLOCK_HEAD_BYTES, GENERATIONS, isLarge, MAX_SHARED_PAYLOAD_BYTES, sealBlock } from './format.js';

const FIRST_BYTES = 1024;
const MOST_BYTES = BLOCK_HEAD_BYTES + MAX_SHARED_PAYLOAD_BYTES;

/** A block that is being filled. */
interface OpenBlock {
  bytes: Buffer;
  used: number;
  entries: number;
}

/** Gathers entries into blocks, one open block for each generation: 4 MB, however many entries there are. */
export class Blocks {
  /** Blocks closed so far. */
  closed = 0;
  readonly #open: OpenBlock[] = [];

  constructor() {
    for (let i = 0; i < GENERATIONS; i++)
      this.#open.push({ bytes: Buffer.alloc(0), used: BLOCK_HEAD_BYTES, entries: 0 });
  }

  /** The generation's block, closed, if the entry has no room in it; or the entry's own if it is large. Write it at once. */
  full(generation: number, entry: EntryToWrite): Buffer | undefined {
    if (isLarge(entry.lengthBytes)) return this.#alone(generation, entry);
    return this.#open[generation].used + entry.lengthBytes > MOST_BYTES ? this.#close(generation) : undefined;
  }

  /** Adds the entry to its generation's block, once what `full` gave is written. */
  add(generation: number, entry: EntryToWrite): void {
    if (isLarge(entry.lengthBytes)) return;
    const block = this.#open[generation];
    this.#makeRoom(block, entry.lengthBytes);
    entry.write(block.bytes, block.used);
    block.used += entry.lengthBytes;
    block.entries++;
  }

  /** The blocks that are not full, the oldest generation first. */
  *rest(): Generator<Buffer> {
    for (let generation = 0; generation < GENERATIONS; generation++) {
      if (this.#open[generation].entries > 0) yield this.#close(generation);
    }
  }

  #alone(generation: number, entry: EntryToWrite): Buffer {
    const block = Buffer.allocUnsafeSlow(BLOCK_HEAD_BYTES + entry.lengthBytes);
    entry.write(block, BLOCK_HEAD_BYTES);
    sealBlock(block, generation, 1);
    this.closed++;
    return block;
  }

  #close(generation: number): Buffer {
    const block = this.#open[generation];
    const full = block.bytes.subarray(0, block.used);
    sealBlock(full, generation, block.entries);
    this.closed++;
    block.used = BLOCK_HEAD_BYTES;
    block.entries = 0;
    return full;
  }

  #makeRoom(block: OpenBlock, lengthBytes: number): void {
    const wanted = block.used + lengthBytes;
    if (wanted <= block.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.min(MOST_BYTES, Math.max(FIRST_BYTES, 2 * wanted)));
    block.bytes.copy(grown, 0, 0, block.used);
    block.bytes = grown;
  }
}
