import { statfsSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { SharedCacheError } from '../errors.js';
import type { Native } from './native.js';
import { errorName } from './platform.js';

/** Reserved by one call, so that a signal which interrupts one undoes little. */
const STEP_BYTES = 64 * 2 ** 20;
const MAX_INTERRUPTIONS = 1_000;

const { EINTR, ENOSPC, EDQUOT, EFBIG } = constants.errno;
const NO_SPACE: readonly number[] = [ENOSPC, EDQUOT, EFBIG];
const NO_SUCH_CALL: readonly number[] = [constants.errno.EOPNOTSUPP, constants.errno.EINVAL, constants.errno.ENOSYS];

/** Asked before anything is taken: what other programs have there must not run out of room meanwhile. Throws ERR_NO_SPACE. */
export function checkSpace(path: string, bytes: number): void {
  const free = freeBytes(path);
  if (free !== undefined && bytes > free) throw noSpace(path, bytes, 'ENOSPC');
}

/**
 * Makes the file `length` bytes long, with all of its memory or disk space its own: a page that cannot be had when it is first
 * touched would kill the process (SIGBUS). What is there stays. Throws ERR_NO_SPACE, ERR_INVALID_FILE.
 */
export function reserve(native: Native, descriptor: number, path: string, from: number, length: number): void {
  for (let offset = from; offset < length; ) {
    const step = Math.min(STEP_BYTES, length - offset);
    const error = native.platform.reserves ? reserveStep(native, descriptor, offset, step) : NO_SUCH_CALL[0];
    if (NO_SUCH_CALL.includes(error)) writeZeros(descriptor, path, offset, step, length);
    else if (NO_SPACE.includes(error)) throw noSpace(path, length, errorName(error));
    else if (error !== 0) {
      throw new SharedCacheError(
        'ERR_INVALID_FILE',
        `cannot reserve ${length} bytes for the cache file ${path}: ${errorName(error)}`,
      );
    }
    offset += step;
  }
}

function reserveStep(native: Native, descriptor: number, offset: number, bytes: number): number {
  for (let interruptions = 1; ; interruptions++) {
    const error = native.reserve(descriptor, offset, bytes);
    if (error !== EINTR || interruptions === MAX_INTERRUPTIONS) return error;
  }
}

function writeZeros(descriptor: number, path: string, offset: number, bytes: number, length: number): void {
  const zeros = Buffer.alloc(2 ** 20);
  try {
    for (let done = 0; done < bytes; ) {
      done += writeSync(descriptor, zeros, 0, Math.min(zeros.length, bytes - done), offset + done);
    }
  } catch (cause) {
    const { errno = 0, code = '' } = cause as NodeJS.ErrnoException;
    if (NO_SPACE.includes(-errno)) throw noSpace(path, length, code);
    throw cause;
  }
}

/** Of the file system, for this user; undefined when it has no bound, as a tmpfs may. */
function freeBytes(path: string): number | undefined {
  const { blocks, bavail, bsize } = statfsSync(dirname(path));
  return blocks === 0 ? undefined : bavail * bsize;
}

function noSpace(path: string, length: number, reason: string): SharedCacheError {
  const free = freeBytes(path);
  const room = free === undefined ? 'no room for it' : `${megabytes(free)} free`;
  return new SharedCacheError(
    'ERR_NO_SPACE',
    `the cache file ${path} takes ${megabytes(length)}, and its file system has ${room} (${reason}); lower maxBytes or give it more room: df -h shows it, a container's /dev/shm has 64 MB unless it is started with --shm-size`,
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}
