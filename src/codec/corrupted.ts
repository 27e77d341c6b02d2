import { SharedCacheError } from '../errors.js';

/** Bytes that no encoder of this library wrote. */
export function corrupted(what: string, cause?: unknown): SharedCacheError {
  return new SharedCacheError('ERR_CORRUPTED', `an entry is corrupted: ${what}`, { cause });
}
