import type { EntryToWrite } from './entry-format.js';
import { BLOCK_HEAD_BYTES, GENERATIONS, isLarge, MAX_SHARED_PAYLOAD_BYTES, sealBlock } from './format.js';

const MOST_BYTES = BLOCK_HEAD_BYTES + MAX_SHARED_PAYLOAD_BYTES;
/** Bytes that who writes an entry's last word whole may write behind it. */
const SLACK_BYTES = 8;
const STRIDE = MOST_BYTES + SLACK_BYTES;

/**
 * Gathers entries into blocks, one open block for each generation: 4 MB, however many entries there are. They lie in one
 * memory, of which the system gives only what is written to.
 */
export class Blocks {
  /** Blocks closed so far. */
  closed = 0;
  readonly bytes: Buffer = Buffer.from(new ArrayBuffer(GENERATIONS * STRIDE));
  readonly words: Int32Array = new Int32Array(this.bytes.buffer);
  /** Of each generation's block, the byte of `bytes` that its next entry begins at, and how many entries it has. */
  readonly ends = new Int32Array(GENERATIONS);
  readonly entries = new Int32Array(GENERATIONS);

  constructor() {
    for (let generation = 0; generation < GENERATIONS; generation++) this.#empty(generation);
  }

  /** Byte of `bytes` that the generation's block ends before, at the latest. */
  static limitOf(generation: number): number {
    return generation * STRIDE + MOST_BYTES;
  }

  /** The generation's block, closed, if the entry has no room in it; or the entry's own if it is large. Write it at once. */
  full(generation: number, entry: EntryToWrite): Buffer | undefined {
    if (isLarge(entry.lengthBytes)) return this.#alone(generation, entry);
    const end = this.ends[generation] + entry.lengthBytes;
    return end > Blocks.limitOf(generation) ? this.close(generation) : undefined;
  }

  /** Adds the entry to its generation's block, once what `full` gave is written. */
  add(generation: number, entry: EntryToWrite): void {
    if (isLarge(entry.lengthBytes)) return;
    entry.write(this.bytes, this.ends[generation]);
    this.ends[generation] += entry.lengthBytes;
    this.entries[generation]++;
  }

  /** The block of the generation, which is not empty. Write it before there is another entry. */
  close(generation: number): Buffer {
    const block = this.bytes.subarray(generation * STRIDE, this.ends[generation]);
    sealBlock(block, generation, this.entries[generation]);
    this.closed++;
    this.#empty(generation);
    return block;
  }

  /** The blocks that are not full, the oldest generation first. */
  *rest(): Generator<Buffer> {
    for (let generation = 0; generation < GENERATIONS; generation++) {
      if (this.entries[generation] > 0) yield this.close(generation);
    }
  }

  #empty(generation: number): void {
    this.ends[generation] = generation * STRIDE + BLOCK_HEAD_BYTES;
    this.entries[generation] = 0;
  }

  #alone(generation: number, entry: EntryToWrite): Buffer {
    const block = Buffer.allocUnsafeSlow(BLOCK_HEAD_BYTES + entry.lengthBytes);
    entry.write(block, BLOCK_HEAD_BYTES);
    sealBlock(block, generation, 1);
    this.closed++;
    return block;
  }
}
