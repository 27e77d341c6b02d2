import { extname } from 'node:path';
import type { Transform } from 'node:stream';
// Not its names one by one: bundlers import those that are used, and a name that this Node lacks would be no module at all.
import zlib from 'node:zlib';
import { describe, SharedCacheError } from '../errors.js';

/** How a dump is compressed: what its bytes go through on their way into the file, and out of it. */
export interface Compression {
  compress(): Transform;
  /** In steps of so many bytes. What is cut short is no error of it: the frame of the dump tells. */
  decompress(stepBytes: number): Transform;
}

/** How a stream of Node's goes in steps, of which it holds one: it does not begin the next before that is taken. */
interface Steps {
  finishFlush: number;
  chunkSize: number;
  readableHighWaterMark: number;
}

/** What newer Nodes have beside. */
interface Zstd {
  createZstdCompress?: () => Transform;
  createZstdDecompress?: (options: { params: Record<number, number> } & Steps) => Transform;
  constants: { ZSTD_e_flush: number; ZSTD_d_windowLogMax: number };
}

/** A reader of zstd needs as much memory as the file says, up to 2 to this power: what level 19 of the zstd program writes. */
const MOST_WINDOW_LOG = 23;

/**
 * The compression that the file's name tells, undefined for none. Throws ERR_UNSUPPORTED_PLATFORM for a `.zst` where Node has
 * no zstd.
 */
export function compressionOf(path: string): Compression | undefined {
  const extension = extname(path).toLowerCase();
  if (extension === '.gz') return gzip;
  return extension === '.zst' ? zstdFor(path) : undefined;
}

const gzip: Compression = {
  compress: () => zlib.createGzip(),
  decompress: (stepBytes) => zlib.createGunzip(inSteps(stepBytes, zlib.constants.Z_SYNC_FLUSH)),
};

function zstdFor(path: string): Compression {
  const { createZstdCompress, createZstdDecompress, constants } = zlib as unknown as Zstd;
  if (createZstdCompress === undefined || createZstdDecompress === undefined) {
    throw new SharedCacheError(
      'ERR_UNSUPPORTED_PLATFORM',
      `${describe(path)} is compressed with zstd, which Node has from 22.15 on; this is ${process.version}. A .gz can be used everywhere`,
    );
  }
  const params = { [constants.ZSTD_d_windowLogMax]: MOST_WINDOW_LOG };
  return {
    compress: () => createZstdCompress(),
    decompress: (stepBytes) => createZstdDecompress({ ...inSteps(stepBytes, constants.ZSTD_e_flush), params }),
  };
}

function inSteps(stepBytes: number, finishFlush: number): Steps {
  return { finishFlush, chunkSize: stepBytes, readableHighWaterMark: 1 };
}
