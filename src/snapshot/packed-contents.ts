import type { Compression } from './compression.js';
import { type Contents, cutInBlock, type ReadBlock, readHeader, Totals } from './contents.js';
import {
  BLOCK_HEAD_BYTES,
  type BlockHead,
  CLOSING_BYTES,
  decodeBlockHead,
  GENERATIONS,
  type Header,
  isWhole,
} from './format.js';
import type { InputFile } from './input-file.js';
import type { Pace } from './pace.js';
import { Unpacked } from './unpacked.js';

/** How often the file is decompressed to bring its blocks into order. */
const BANDS = 4;
const STEP_BYTES = 64 * 1024;
/** Of a damaged compression: the step that finds the damage is lost. */
const CAREFUL_STEP_BYTES = 1024;

/** What is read, and how. */
interface Source {
  readonly file: InputFile;
  readonly compression: Compression;
  readonly pace: Pace;
  readonly stepBytes: number;
}

/** What is known of the file once it was decompressed. */
interface Frame {
  readonly header: Header;
  readonly headerBytes: number;
  readonly totals: Totals;
  readonly damaged: string | undefined;
}

/**
 * A compressed file. It can be read from its beginning on only, so it is decompressed again for each thing that has to be known
 * before the next, and for each band of generations. Nothing that it holds is kept meanwhile, however much that is.
 */
export class PackedContents implements Contents {
  readonly #source: Source;
  readonly #frame: Frame;
  readonly #mostPayloadBytes: number;

  private constructor(source: Source, frame: Frame, mostPayloadBytes: number) {
    this.#source = source;
    this.#frame = frame;
    this.#mostPayloadBytes = mostPayloadBytes;
  }

  /** Reads the frame; longer payloads will be left out unread. Throws ERR_INVALID_FILE for a file that is no dump. */
  static async of(
    file: InputFile,
    compression: Compression,
    pace: Pace,
    mostPayloadBytes: number,
  ): Promise<PackedContents> {
    let source: Source = { file, compression, pace, stepBytes: STEP_BYTES };
    let frame = await readFrame(source);
    if (frame === undefined) {
      source = { ...source, stepBytes: CAREFUL_STEP_BYTES };
      frame = await readFrame(source);
    }
    return new PackedContents(source, frame as Frame, mostPayloadBytes);
  }

  get header(): Header {
    return this.#frame.header;
  }

  get damaged(): string | undefined {
    return this.#frame.damaged;
  }

  get totals(): Totals {
    return this.#frame.totals;
  }

  inAnyOrder(): AsyncIterable<ReadBlock> {
    return this.#blocks(0, GENERATIONS);
  }

  async *oldestFirst(): AsyncGenerator<ReadBlock> {
    const { isSorted, entries, entriesOf } = this.totals;
    const most = isSorted ? entries : entries / BANDS;
    let from = 0;
    let inBand = 0;
    for (let to = 1; to <= GENERATIONS; to++) {
      inBand += entriesOf[to - 1];
      if (to < GENERATIONS && inBand < most) continue;
      if (inBand > 0) yield* this.#blocks(from, to);
      from = to;
      inBand = 0;
    }
  }

  /** Those of the generations from `from` to before `to`. */
  async *#blocks(from: number, to: number): AsyncGenerator<ReadBlock> {
    const unpacked = open(this.#source);
    try {
      await unpacked.skip(this.#frame.headerBytes);
      for await (const block of heads(unpacked, this.#source.pace)) {
        if (block.generation >= from && block.generation < to) {
          const payloadAt = unpacked.at;
          const payload = await this.#payload(unpacked, block);
          if (payload === undefined) return;
          yield { ...block, payloadAt, payload };
        }
        if (!(await unpacked.skip(block.payloadBytes))) return;
      }
    } finally {
      unpacked.close();
    }
  }

  /** Undefined when the file ends before it does, as the frame has told. */
  async #payload(unpacked: Unpacked, block: BlockHead): Promise<ReadBlock['payload'] | undefined> {
    if (block.payloadBytes > this.#mostPayloadBytes) return 'too large';
    const payload = await unpacked.peek(block.payloadBytes);
    if (payload.length < block.payloadBytes) return undefined;
    return isWhole(payload, block) ? payload : 'damaged';
  }
}

const open = ({ file, compression, stepBytes }: Source): Unpacked => new Unpacked(file, compression, stepBytes);

/** Undefined when the compression is damaged, and smaller steps would show more. */
async function readFrame(source: Source): Promise<Frame | undefined> {
  const unpacked = open(source);
  try {
    const read = await readHeader((length) => unpacked.peek(length));
    const totals = new Totals();
    let damaged: string | undefined;
    if (typeof read !== 'string') {
      await unpacked.skip(read.bytes);
      damaged = await readHeads(unpacked, source.pace, totals);
    }
    const { problem } = unpacked;
    if (problem !== undefined) {
      if (source.stepBytes > CAREFUL_STEP_BYTES) return undefined;
      damaged = `its compression is damaged, behind byte ${unpacked.at}: ${problem}`;
    }
    if (typeof read === 'string') throw source.file.invalid(damaged ?? read);
    return { header: read.header, headerBytes: read.bytes, totals, damaged };
  } finally {
    unpacked.close();
  }
}

/** Counts the blocks; returns what is wrong with their end. */
async function readHeads(unpacked: Unpacked, pace: Pace, totals: Totals): Promise<string | undefined> {
  for await (const block of heads(unpacked, pace)) {
    if (!(await unpacked.skip(block.payloadBytes))) return cutInBlock(unpacked.at);
    totals.add(block);
  }
  const { at } = unpacked;
  // One byte more shows that something is behind it.
  const rest = await unpacked.peek(CLOSING_BYTES + 1);
  return totals.problemWith({ at, bytes: rest.subarray(0, CLOSING_BYTES), endsAt: at + rest.length });
}

/** The heads of the blocks that follow, as long as there are some. What gets one has to skip its payload. */
async function* heads(unpacked: Unpacked, pace: Pace): AsyncGenerator<BlockHead> {
  for (;;) {
    if (pace.isDue()) await pace.breathe();
    const block = decodeBlockHead(await unpacked.peek(BLOCK_HEAD_BYTES));
    if (block === undefined) return;
    await unpacked.skip(BLOCK_HEAD_BYTES);
    yield block;
  }
}
