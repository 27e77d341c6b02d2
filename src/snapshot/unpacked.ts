import { pipeline, Readable, type Transform } from 'node:stream';
import { SharedCacheError } from '../errors.js';
import type { Compression } from './compression.js';
import type { InputFile } from './input-file.js';

/**
 * What a compressed file holds, from its beginning on. No more is held than was asked for and one step of the decompression,
 * however much the file holds. Of the step that finds damage nothing is seen.
 */
export class Unpacked {
  /** Bytes that lie behind. */
  at = 0;
  /** Why there is nothing more, if that is because the compression makes no sense. */
  problem: string | undefined;
  readonly #stream: Transform;
  readonly #chunks: AsyncIterator<Buffer>;
  /** What was decompressed and lies ahead. */
  #parts: Buffer[] = [];
  #ahead = 0;

  constructor(file: InputFile, compression: Compression, stepBytes: number) {
    this.#stream = compression.decompress(stepBytes);
    this.#chunks = this.#stream[Symbol.asyncIterator]();
    // The iterator hears of failures.
    pipeline(Readable.from(file.chunks(), { objectMode: false }), this.#stream, () => {});
  }

  /** The next bytes, which still lie ahead: fewer at the end. */
  async peek(length: number): Promise<Buffer> {
    while (this.#ahead < length && (await this.#readMore()));
    if (this.#parts.length !== 1) this.#parts = [Buffer.concat(this.#parts, this.#ahead)];
    return this.#parts[0].subarray(0, length);
  }

  /** Goes on by so many bytes; false when there are fewer. */
  async skip(length: number): Promise<boolean> {
    for (let left = length; left > 0; ) {
      if (this.#ahead === 0 && !(await this.#readMore())) return false;
      const [first] = this.#parts;
      const bytes = Math.min(left, first.length);
      if (bytes < first.length) this.#parts[0] = first.subarray(bytes);
      else this.#parts.shift();
      this.#ahead -= bytes;
      this.at += bytes;
      left -= bytes;
    }
    return true;
  }

  close(): void {
    this.#stream.destroy();
  }

  async #readMore(): Promise<boolean> {
    if (this.problem !== undefined) return false;
    try {
      const { done, value } = await this.#chunks.next();
      if (done) return false;
      this.#parts.push(value);
      this.#ahead += value.length;
      return true;
    } catch (error) {
      // The file itself could not be read.
      if (error instanceof SharedCacheError) throw error;
      this.problem = (error as Error).message;
      return false;
    }
  }
}
