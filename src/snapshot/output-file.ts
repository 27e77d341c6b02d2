import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, SharedCacheError } from '../errors.js';
import type { Compression } from './compression.js';
import { Packer } from './packer.js';

const STAGE_BYTES = 1024 * 1024;

/**
 * A file that appears whole or not at all: it is written under another name in the same folder, brought to the disk, and
 * renamed. What is written is gathered in two stages, so that one fills while the other is on its way. Every method that
 * fails throws ERR_WRITE_FAILED.
 */
export class OutputFile {
  /** Bytes given to `append`. */
  bytes = 0;
  /** Bytes of the file so far. */
  fileBytes = 0;
  readonly #path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  readonly #packer: Packer | undefined;
  #stage = Buffer.allocUnsafeSlow(STAGE_BYTES);
  #other = Buffer.allocUnsafeSlow(STAGE_BYTES);
  #staged = 0;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, temporary: string, handle: FileHandle, compression: Compression | undefined) {
    this.#path = path;
    this.#temporary = temporary;
    this.#handle = handle;
    this.#packer = compression && new Packer(compression.compress(), (bytes) => this.#writeOut(bytes));
  }

  static async create(path: string, compression: Compression | undefined): Promise<OutputFile> {
    await checkTarget(path);
    const temporary = join(dirname(path), `.mooncake-${randomBytes(8).toString('hex')}.tmp`);
    const handle = await writing(path, open(temporary, 'wx', 0o600));
    return new OutputFile(path, temporary, handle, compression);
  }

  /** Takes the bytes, which may be used again at once if it returns undefined, else when the promise is fulfilled. */
  append(bytes: Buffer): Promise<void> | undefined {
    this.bytes += bytes.length;
    if (bytes.length > STAGE_BYTES) return this.#appendLarge(bytes);
    if (this.#staged + bytes.length <= STAGE_BYTES) {
      this.#staged += bytes.copy(this.#stage, this.#staged);
      return undefined;
    }
    return this.#flush().then(() => {
      this.#staged += bytes.copy(this.#stage, this.#staged);
    });
  }

  /** Brings all of it to the disk. */
  async complete(): Promise<void> {
    await this.#flush();
    await this.#writing;
    await this.#packer?.end();
    await writing(this.#path, this.#handle.sync());
    await writing(this.#path, this.#handle.close());
  }

  /** Gives the file its name. */
  async commit(): Promise<void> {
    await writing(this.#path, rename(this.#temporary, this.#path));
    // Not every system lets a folder be opened or synced; the file has its name all the same.
    await syncFolder(dirname(this.#path)).catch(() => {});
  }

  /** Removes what there is of it; the file that had the name stays. */
  async discard(): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#packer?.discard();
    await this.#handle.close().catch(() => {});
    await rm(this.#temporary, { force: true }).catch(() => {});
  }

  /** Sends the stage on its way when the one before it has arrived. */
  async #flush(): Promise<void> {
    await this.#writing;
    const full = this.#stage.subarray(0, this.#staged);
    [this.#stage, this.#other] = [this.#other, this.#stage];
    this.#staged = 0;
    this.#writing = this.#write(full);
    // Whoever waits for it next hears of a failure; until then it is nobody's.
    this.#writing.catch(() => {});
  }

  async #appendLarge(bytes: Buffer): Promise<void> {
    await this.#flush();
    await this.#writing;
    await this.#write(bytes);
  }

  #write(bytes: Buffer): Promise<void> {
    return this.#packer === undefined ? this.#writeOut(bytes) : this.#packer.write(bytes);
  }

  async #writeOut(bytes: Buffer): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      const { bytesWritten } = await writing(this.#path, this.#handle.write(bytes, from, bytes.length - from));
      from += bytesWritten;
      this.fileBytes += bytesWritten;
    }
  }
}

/** A file takes the place of another, but not that of a device, a pipe or a socket, which are there for others. */
async function checkTarget(path: string): Promise<void> {
  // Whatever cannot be looked at cannot be replaced either, and the system says so then.
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined || stats.isFile() || stats.isDirectory()) return;
  throw new SharedCacheError('ERR_WRITE_FAILED', `${describe(path)} cannot be written: it is not a regular file`);
}

/** Brings the new name to the disk. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writing<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new SharedCacheError('ERR_WRITE_FAILED', `${describe(path)} cannot be written: ${(cause as Error).message}`, {
      cause,
    });
  }
}
