import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Compresses what it is given, outside of this thread, and writes what comes of it. */
export class Packer {
  readonly #stream: Transform;
  readonly #done: Promise<void>;

  constructor(stream: Transform, write: (bytes: Buffer) => Promise<void>) {
    this.#stream = stream;
    this.#done = pipeline(stream, async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) await write(chunk);
    });
    // Whoever writes next hears of a failure; until then it is nobody's.
    this.#done.catch(() => {});
  }

  /** Takes the bytes, which may be used again once it is fulfilled. Rejects with what `write` has thrown. */
  async write(bytes: Buffer): Promise<void> {
    const taken = new Promise<void>((resolve, reject) => {
      this.#stream.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
    await Promise.race([taken, this.#done.then(() => taken)]);
  }

  /** Writes the rest. */
  async end(): Promise<void> {
    this.#stream.end();
    await this.#done;
  }

  /** Writes nothing more once it is fulfilled. */
  async discard(): Promise<void> {
    this.#stream.destroy();
    await this.#done.catch(() => {});
  }
}
