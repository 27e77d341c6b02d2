import {
  type BlockHead,
  CLOSING_BYTES,
  decodeClosing,
  decodeHeader,
  GENERATIONS,
  HEADER_PREFIX_BYTES,
  type Header,
  headerBytes,
} from './format.js';

/** A block that was read. */
export interface ReadBlock extends BlockHead {
  /** Where its payload begins, in what the file holds. */
  payloadAt: number;
  /** Valid until the next block is read. */
  payload: Buffer | 'damaged' | 'too large';
}

/** What lies in a dump file: its header, and its blocks up to the end or the first damage. */
export interface Contents {
  readonly header: Header;
  /** What is wrong with the file, as far as its frame tells. */
  readonly damaged: string | undefined;
  /** Of all blocks together. */
  readonly totals: Totals;
  /** The blocks in the order that is read fastest. */
  inAnyOrder(): AsyncIterable<ReadBlock>;
  /** Those used longest ago first, at least roughly. */
  oldestFirst(): AsyncIterable<ReadBlock>;
}

/** What has been seen of the blocks of a file. */
export class Totals {
  blocks = 0;
  entries = 0;
  payloadBytes = 0;
  /** The sum of the squares of each entry's bytes, were those of one block of the same size. */
  squaredBytes = 0;
  /** Whether each block was used no longer ago than the one before it. */
  isSorted = true;
  /** Entries of each generation. */
  readonly entriesOf: Float64Array = new Float64Array(GENERATIONS);
  #last = 0;

  add({ generation, entries, payloadBytes }: BlockHead): void {
    this.blocks++;
    this.entries += entries;
    this.payloadBytes += payloadBytes;
    if (entries > 0) this.squaredBytes += payloadBytes ** 2 / entries;
    this.entriesOf[generation] += entries;
    this.isSorted &&= generation >= this.#last;
    this.#last = generation;
  }

  /** What is wrong with the end of the blocks, if something is. */
  problemWith({ at, bytes, endsAt }: End): string | undefined {
    const closing = decodeClosing(bytes);
    if (closing === undefined) {
      return bytes.length < CLOSING_BYTES
        ? `the file is cut short, at byte ${endsAt}`
        : `there is no block at byte ${at}`;
    }
    const { blocks, entries } = this;
    if (closing.blocks !== blocks || closing.entries !== entries || closing.bytes !== at)
      return `it should have ${closing.blocks} blocks of ${closing.entries} entries, and has ${blocks} of ${entries}`;
    if (endsAt > at + CLOSING_BYTES) return `there is something behind its end, at byte ${at + CLOSING_BYTES}`;
    return undefined;
  }
}

/** Where the blocks end. */
export interface End {
  at: number;
  /** What lies there: as much as a closing block has, or what there is. */
  bytes: Buffer;
  /** Where the file ends, or any place further behind than the closing block. */
  endsAt: number;
}

export const cutInBlock = (at: number): string => `the file is cut short in a block, at byte ${at}`;

/** The header and its bytes, or what is wrong with it. `beginning` reads so many bytes of what the file holds, or fewer. */
export async function readHeader(
  beginning: (length: number) => Promise<Buffer>,
): Promise<{ header: Header; bytes: number } | string> {
  const length = headerBytes(await beginning(HEADER_PREFIX_BYTES));
  if (typeof length === 'string') return length;
  const bytes = await beginning(length);
  const header = bytes.length === length ? decodeHeader(bytes) : undefined;
  return header === undefined ? 'its header is damaged' : { header, bytes: length };
}
