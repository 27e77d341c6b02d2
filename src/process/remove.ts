import { closeSync, fstatSync, unlinkSync } from 'node:fs';
import { ByteLocks } from './byte-locks.js';
import { readHeader } from './header.js';
import { native } from './native.js';
import { lockOpening } from './opening.js';
import { asInvalidFile, checkPath, foreignFile, isNameOf, openOwn } from './path.js';

/**
 * Takes the name of a cache file away, of whichever version; who uses it goes on, and its memory is given back when the last
 * of them has ended. False when there is no such file. Throws ERR_INVALID_FILE for what is no cache file of one's own.
 */
export function removeFile(given: string): boolean {
  native();
  const path = checkPath(given);
  for (;;) {
    const descriptor = openOwn(path);
    if (descriptor === undefined) return false;
    try {
      if (asInvalidFile(path, () => unlinkIfCache(path, descriptor))) return true;
    } finally {
      closeSync(descriptor);
    }
  }
}

/** False when the path leads to another file by now. */
function unlinkIfCache(path: string, descriptor: number): boolean {
  lockOpening(new ByteLocks(native(), descriptor), path);
  const stats = fstatSync(descriptor);
  if (!isNameOf(path, stats)) return false;
  if (readHeader(descriptor, stats.size, 0).kind === 'foreign') throw foreignFile(path);
  unlinkSync(path);
  return true;
}
