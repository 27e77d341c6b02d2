import { checkFunction, describe, rejectUnknown, SharedCacheError } from './errors.js';
import type { AsyncLoadOptions } from './flight/flight.js';
import { checkTtl } from './options.js';

/** Checks of what methods are given. Each throws a SharedCacheError before anything has changed. */

/** For a call without options: nothing in it needs a check. */
export const NO_OPTIONS: AsyncLoadOptions = Object.freeze({});
const TTL_OPTIONS = ['ttl'];
const LOAD_OPTIONS = ['ttl', 'staleTtl', 'timeoutMs', 'signal'];
const LOAD_OPTIONS_TEXT = `{ ${LOAD_OPTIONS.join(', ')} }`;

/** The options' TTL in ms, or the fallback. Throws ERR_INVALID_TTL, ERR_INVALID_OPTION. */
export function ttlOf(options: { ttl?: number } | undefined, fallback: number): number {
  if (options === undefined) return fallback;
  checkObject(options, '{ ttl }');
  // As cheap as a look at each name: which are own, and what to suggest, only when there is something to tell.
  for (const name in options) if (name !== 'ttl') rejectUnknown(options, TTL_OPTIONS, 'option');
  return options.ttl === undefined ? fallback : checkTtl(options.ttl);
}

/** Throws ERR_INVALID_ARGUMENT, ERR_INVALID_OPTION, ERR_INVALID_TTL. */
export function checkLoad(loader: unknown, options: AsyncLoadOptions): void {
  checkFunction('the loader', loader);
  if (options === NO_OPTIONS) return;
  checkObject(options, LOAD_OPTIONS_TEXT);
  for (const name in options) {
    if (!LOAD_OPTIONS.includes(name)) rejectUnknown(options, LOAD_OPTIONS, 'option');
  }
  const { ttl, staleTtl, timeoutMs, signal } = options;
  if (ttl !== undefined) checkTtl(ttl);
  if (staleTtl !== undefined && checkTtl(staleTtl, 'staleTtl') === Number.POSITIVE_INFINITY) {
    // An entry keeps one time only, when it ends for good: from never nothing can be counted back.
    throw new SharedCacheError(
      'ERR_INVALID_TTL',
      'staleTtl must be a finite number of milliseconds, received Infinity',
    );
  }
  if (timeoutMs !== undefined) checkTtl(timeoutMs, 'timeoutMs');
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    throw new SharedCacheError('ERR_INVALID_ARGUMENT', `signal must be an AbortSignal, received ${describe(signal)}`);
  }
}

export function checkKeys(keys: unknown): void {
  if (Array.isArray(keys)) return;
  throw new SharedCacheError('ERR_INVALID_ARGUMENT', `keys must be an array of strings, received ${describe(keys)}`);
}

/** What the iterable yields, each a pair. */
export function listPairs<V>(entries: Iterable<readonly [string, V]>): (readonly [string, V])[] {
  if (typeof entries !== 'object' || typeof entries?.[Symbol.iterator] !== 'function') {
    throw new SharedCacheError(
      'ERR_INVALID_ARGUMENT',
      `entries must be an array, a Map or another iterable of [key, value] pairs, received ${describe(entries)}`,
    );
  }
  const list = [...entries];
  for (const pair of list) {
    if (Array.isArray(pair)) continue;
    throw new SharedCacheError(
      'ERR_INVALID_ARGUMENT',
      `an entry must be a [key, value] pair, received ${describe(pair)}`,
    );
  }
  return list;
}

export function checkObject(options: unknown, allowed: string): void {
  if (typeof options === 'object' && options !== null) return;
  throw new SharedCacheError(
    'ERR_INVALID_OPTION',
    `options must be an object ${allowed}, received ${describe(options)}`,
  );
}
