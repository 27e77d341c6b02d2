import {
  BLOCK_HEAD_BYTES,
  type BlockHead,
  CLOSING_BYTES,
  decodeBlockHead,
  decodeClosing,
  decodeHeader,
  HEADER_PREFIX_BYTES,
  type Header,
  headerBytes,
  isWhole,
  MAX_SHARED_PAYLOAD_BYTES,
  type Totals,
} from './format.js';
import type { InputFile } from './input-file.js';
import type { Pace } from './pace.js';

/** A block's head, and where its payload begins. */
export interface Block extends BlockHead {
  payloadAt: number;
}

/** What lies in a dump file: its header, and its blocks up to the end or the first damage. */
export class Contents {
  readonly header: Header;
  /** Those used longest ago first. */
  readonly blocks: readonly Block[];
  /** What is wrong with the file, as far as its frame tells. */
  readonly damaged: string | undefined;
  readonly #file: InputFile;
  #room = Buffer.allocUnsafeSlow(MAX_SHARED_PAYLOAD_BYTES);

  private constructor(file: InputFile, header: Header, blocks: Block[], damaged: string | undefined) {
    this.#file = file;
    this.header = header;
    this.blocks = blocks.sort((a, b) => a.generation - b.generation);
    this.damaged = damaged;
  }

  /** Reads the frame. Throws ERR_INVALID_FILE for a file that is no dump. */
  static async of(file: InputFile, pace: Pace): Promise<Contents> {
    const header = await readHeader(file);
    const blocks: Block[] = [];
    const head = Buffer.alloc(Math.max(BLOCK_HEAD_BYTES, CLOSING_BYTES));
    for (let at = header.bytes; ; ) {
      if (pace.isDue()) await pace.breathe();
      const bytes = await file.read(head, at);
      const block = decodeBlockHead(bytes);
      if (block === undefined) {
        const damaged = endProblem(blocks, decodeClosing(bytes), at, file.sizeBytes);
        return new Contents(file, header.header, blocks, damaged);
      }
      const payloadAt = at + BLOCK_HEAD_BYTES;
      at = payloadAt + block.payloadBytes;
      if (at > file.sizeBytes) {
        return new Contents(file, header.header, blocks, `the file is cut short in a block, at byte ${file.sizeBytes}`);
      }
      blocks.push({ ...block, payloadAt });
    }
  }

  /** The payload, valid until the next call; undefined when it is damaged. */
  async payload(block: Block): Promise<Buffer | undefined> {
    const { payloadBytes } = block;
    if (payloadBytes > this.#room.length) this.#room = Buffer.allocUnsafeSlow(payloadBytes);
    const payload = await this.#file.read(this.#room.subarray(0, payloadBytes), block.payloadAt);
    return payload.length === payloadBytes && isWhole(payload, block) ? payload : undefined;
  }
}

async function readHeader(file: InputFile): Promise<{ header: Header; bytes: number }> {
  const length = headerBytes(await file.read(Buffer.alloc(HEADER_PREFIX_BYTES), 0));
  if (typeof length === 'string') throw file.invalid(length);
  const bytes = await file.read(Buffer.alloc(length), 0);
  const header = bytes.length === length ? decodeHeader(bytes) : undefined;
  if (header === undefined) throw file.invalid('its header is damaged');
  return { header, bytes: length };
}

/** What is wrong where the blocks end, if something is. */
function endProblem(
  blocks: readonly Block[],
  totals: Totals | undefined,
  at: number,
  sizeBytes: number,
): string | undefined {
  if (totals === undefined) {
    return at + BLOCK_HEAD_BYTES > sizeBytes
      ? `the file is cut short, at byte ${sizeBytes}`
      : `there is no block at byte ${at}`;
  }
  const entries = blocks.reduce((sum, block) => sum + block.entries, 0);
  if (totals.blocks !== blocks.length || totals.entries !== entries || totals.bytes !== at)
    return `it should have ${totals.blocks} blocks of ${totals.entries} entries, and has ${blocks.length} of ${entries}`;
  if (sizeBytes !== at + CLOSING_BYTES) return `there is something behind its end, at byte ${at + CLOSING_BYTES}`;
  return undefined;
}
