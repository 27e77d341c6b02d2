import { type Contents, cutInBlock, type ReadBlock, readHeader, Totals } from './contents.js';
import {
  BLOCK_HEAD_BYTES,
  type BlockHead,
  CLOSING_BYTES,
  decodeBlockHead,
  type Header,
  isWhole,
  MAX_SHARED_PAYLOAD_BYTES,
} from './format.js';
import type { InputFile } from './input-file.js';
import type { Pace } from './pace.js';

/** A block's head, and where its payload begins. */
interface Block extends BlockHead {
  payloadAt: number;
}

/** A file whose blocks can be read in any order. */
export class PlainContents implements Contents {
  readonly header: Header;
  readonly damaged: string | undefined;
  readonly totals: Totals;
  readonly #blocks: readonly Block[];
  readonly #file: InputFile;
  readonly #mostPayloadBytes: number;
  #room = Buffer.allocUnsafeSlow(MAX_SHARED_PAYLOAD_BYTES);

  private constructor(
    file: InputFile,
    mostPayloadBytes: number,
    header: Header,
    blocks: Block[],
    totals: Totals,
    damaged: string | undefined,
  ) {
    this.#file = file;
    this.#mostPayloadBytes = mostPayloadBytes;
    this.header = header;
    this.#blocks = blocks.sort((a, b) => a.generation - b.generation);
    this.totals = totals;
    this.damaged = damaged;
  }

  /** Reads the frame; longer payloads will be left out unread. Throws ERR_INVALID_FILE for a file that is no dump. */
  static async of(file: InputFile, pace: Pace, mostPayloadBytes: number): Promise<PlainContents> {
    const read = await readHeader((length) => file.read(Buffer.alloc(length), 0));
    if (typeof read === 'string') throw file.invalid(read);
    const { sizeBytes } = file;
    const blocks: Block[] = [];
    const totals = new Totals();
    const head = Buffer.alloc(CLOSING_BYTES);
    for (let at = read.bytes; ; ) {
      if (pace.isDue()) await pace.breathe();
      const bytes = await file.read(head, at);
      const block = decodeBlockHead(bytes);
      const payloadAt = at + BLOCK_HEAD_BYTES;
      if (block === undefined || payloadAt + block.payloadBytes > sizeBytes) {
        const damaged =
          block === undefined ? totals.problemWith({ at, bytes, endsAt: sizeBytes }) : cutInBlock(sizeBytes);
        return new PlainContents(file, mostPayloadBytes, read.header, blocks, totals, damaged);
      }
      at = payloadAt + block.payloadBytes;
      totals.add(block);
      blocks.push({ ...block, payloadAt });
    }
  }

  inAnyOrder(): AsyncIterable<ReadBlock> {
    return this.oldestFirst();
  }

  async *oldestFirst(): AsyncGenerator<ReadBlock> {
    for (const block of this.#blocks) yield { ...block, payload: await this.#payload(block) };
  }

  async #payload(block: Block): Promise<ReadBlock['payload']> {
    const { payloadBytes } = block;
    if (payloadBytes > this.#mostPayloadBytes) return 'too large';
    if (payloadBytes > this.#room.length) this.#room = Buffer.allocUnsafeSlow(payloadBytes);
    const payload = await this.#file.read(this.#room.subarray(0, payloadBytes), block.payloadAt);
    return payload.length === payloadBytes && isWhole(payload, block) ? payload : 'damaged';
  }
}
