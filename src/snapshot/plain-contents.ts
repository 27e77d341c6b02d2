import { type Contents, cutInBlock, type ReadBlock, readHeader, Totals } from './contents.js';
import {
  BLOCK_HEAD_BYTES,
  type BlockHead,
  CLOSING_BYTES,
  decodeBlockHead,
  type Header,
  isLarge,
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
  #other = Buffer.allocUnsafeSlow(MAX_SHARED_PAYLOAD_BYTES);
  #large = Buffer.alloc(0);

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

  /** While one block is worked on, the next is on its way, unless it is one large entry: memory for two of those is too much. */
  async *oldestFirst(): AsyncGenerator<ReadBlock> {
    let ahead: Promise<ReadBlock['payload']> | undefined;
    try {
      for (const [i, block] of this.#blocks.entries()) {
        const payload = await (ahead ?? this.#payload(block));
        const next = this.#blocks[i + 1];
        ahead = next === undefined || isLarge(next.payloadBytes) ? undefined : this.#payload(next);
        // Whoever asks for that block hears of a failure; until then it is nobody's.
        ahead?.catch(() => {});
        yield { ...block, payload };
      }
    } finally {
      await ahead?.catch(() => {});
    }
  }

  async #payload(block: Block): Promise<ReadBlock['payload']> {
    const { payloadBytes } = block;
    if (payloadBytes > this.#mostPayloadBytes) return 'too large';
    const payload = await this.#file.read(this.#roomFor(payloadBytes), block.payloadAt);
    return payload.length === payloadBytes && isWhole(payload, block) ? payload : 'damaged';
  }

  /** Two rooms serve all blocks that are shared, one all large ones. */
  #roomFor(bytes: number): Buffer {
    if (isLarge(bytes)) {
      if (bytes > this.#large.length) this.#large = Buffer.allocUnsafeSlow(bytes);
      return this.#large.subarray(0, bytes);
    }
    [this.#room, this.#other] = [this.#other, this.#room];
    return this.#room.subarray(0, bytes);
  }
}
