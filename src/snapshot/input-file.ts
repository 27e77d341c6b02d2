import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { describe, SharedCacheError } from '../errors.js';

const CHUNK_BYTES = 64 * 1024;

/** A file that is read from any place. Every method that fails throws ERR_INVALID_FILE. */
export class InputFile {
  readonly sizeBytes: number;
  readonly #path: string;
  readonly #handle: FileHandle;

  private constructor(path: string, handle: FileHandle, sizeBytes: number) {
    this.#path = path;
    this.#handle = handle;
    this.sizeBytes = sizeBytes;
  }

  static async open(path: string): Promise<InputFile> {
    try {
      // Without O_NONBLOCK the open of a named pipe would wait for a writer.
      const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      try {
        const stat = await handle.stat();
        if (!stat.isFile()) throw invalid(path, 'it is not a regular file');
        return new InputFile(path, handle, stat.size);
      } catch (error) {
        await handle.close();
        throw error;
      }
    } catch (error) {
      throw error instanceof SharedCacheError ? error : invalid(path, (error as Error).message, error);
    }
  }

  /** Fills `into` from the position, and returns the part of it that was filled: less than all at the file's end. */
  async read(into: Buffer, position: number): Promise<Buffer> {
    try {
      let filled = 0;
      while (filled < into.length) {
        const { bytesRead } = await this.#handle.read(into, filled, into.length - filled, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return into.subarray(0, filled);
    } catch (error) {
      throw invalid(this.#path, (error as Error).message, error);
    }
  }

  /** All of it, one piece after the other. */
  async *chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; ; ) {
      const chunk = await this.read(Buffer.allocUnsafeSlow(CHUNK_BYTES), at);
      if (chunk.length === 0) return;
      yield chunk;
      at += chunk.length;
    }
  }

  /** What to throw when the file is no dump. */
  invalid(reason: string): SharedCacheError {
    return invalid(this.#path, reason);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

function invalid(path: string, reason: string, cause?: unknown): SharedCacheError {
  return new SharedCacheError('ERR_INVALID_FILE', `${describe(path)} cannot be loaded: ${reason}`, { cause });
}
