import { checkObject } from '../arguments.js';
import { toMs } from '../duration.js';
import { checkFunction, describe, rejectUnknown, SharedCacheError } from '../errors.js';
import type { AsyncLoadOptions } from './flight.js';

/** For a call without options: nothing in it needs a check. */
export const NO_LOAD_OPTIONS: AsyncLoadOptions = Object.freeze({});
const LOAD_OPTIONS = ['ttl', 'staleTtl', 'timeoutMs', 'signal'];
const LOAD_OPTIONS_TEXT = `{ ${LOAD_OPTIONS.join(', ')} }`;

/** Throws ERR_INVALID_ARGUMENT, ERR_INVALID_OPTION, ERR_INVALID_TTL. */
export function checkLoad(loader: unknown, options: AsyncLoadOptions): void {
  checkFunction('the loader', loader);
  if (options === NO_LOAD_OPTIONS) return;
  checkObject(options, LOAD_OPTIONS_TEXT);
  for (const name in options) {
    if (!LOAD_OPTIONS.includes(name)) rejectUnknown(options, LOAD_OPTIONS, 'option');
  }
  const { ttl, staleTtl, timeoutMs, signal } = options;
  if (ttl !== undefined) toMs(ttl);
  if (staleTtl !== undefined && toMs(staleTtl, 'staleTtl') === Number.POSITIVE_INFINITY) {
    // An entry keeps one time only, when it ends for good: from never nothing can be counted back.
    throw new SharedCacheError(
      'ERR_INVALID_TTL',
      'staleTtl must be a finite number of milliseconds, received Infinity',
    );
  }
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0)) {
    throw new SharedCacheError(
      'ERR_INVALID_ARGUMENT',
      `timeoutMs must be a number of milliseconds >= 0, received ${describe(timeoutMs)}`,
    );
  }
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    throw new SharedCacheError('ERR_INVALID_ARGUMENT', `signal must be an AbortSignal, received ${describe(signal)}`);
  }
}
