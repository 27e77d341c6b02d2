import { type Duration, toMs } from './duration.js';
import { describe, rejectUnknown, SharedCacheError } from './errors.js';
import { MAX_TAG_LENGTH, MAX_TAGS } from './table/extras.js';

/** Checks of what methods are given. Each throws a SharedCacheError before anything has changed. */

/** Settings of one write. */
export interface PutOptions {
  /** Time to live: ms, or a string such as `'5m'`; `Infinity` never expires, 0 stores nothing live. Default the cache's `ttl`. */
  ttl?: Duration | undefined;
  /** Labels by which `invalidateTags` finds the entry: at most 16, of 1 to 256 characters each. Default none. */
  tags?: readonly string[] | undefined;
}

const WRITE_OPTIONS = ['ttl', 'tags'] as const;
const WRITE_OPTIONS_TEXT = '{ ttl, tags }';
const NO_TAGS: readonly string[] = Object.freeze([]);

/** Whether there is nothing in the options to look at; throws ERR_INVALID_OPTION for what a write does not know. */
export function checkWriteOptions(options: PutOptions): void {
  checkObject(options, WRITE_OPTIONS_TEXT);
  // As cheap as a look at each name: which are own, and what to suggest, only when there is something to tell.
  for (const name in options) if (name !== 'ttl' && name !== 'tags') rejectUnknown(options, WRITE_OPTIONS, 'option');
}

/** The tags, each once. Throws ERR_INVALID_ARGUMENT. */
export function checkTags(tags: unknown): readonly string[] {
  if (tags === undefined) return NO_TAGS;
  if (!Array.isArray(tags)) throw invalidTags(tags, 'an array of strings');
  const list = Array.from(tags as readonly unknown[], checkTag);
  const unique = [...new Set(list)];
  if (unique.length > MAX_TAGS) throw invalidTags(`${unique.length} tags`, `at most ${MAX_TAGS} tags`);
  return unique;
}

/** What is to be invalidated: one tag or any number of them. Throws ERR_INVALID_ARGUMENT. */
export function checkTagList(tags: unknown): readonly string[] {
  if (typeof tags === 'string') return [checkTag(tags)];
  if (!Array.isArray(tags)) throw invalidTags(tags, 'a string or an array of strings');
  return Array.from(tags as readonly unknown[], checkTag);
}

function checkTag(tag: unknown): string {
  if (typeof tag === 'string' && tag.length >= 1 && tag.length <= MAX_TAG_LENGTH) return tag;
  throw invalidTags(tag, `strings of 1 to ${MAX_TAG_LENGTH} characters`);
}

function invalidTags(received: unknown, allowed: string): SharedCacheError {
  return new SharedCacheError('ERR_INVALID_ARGUMENT', `tags must be ${allowed}, received ${describe(received)}`);
}

/** The keys as a list of their own: a hole in an array is a bad key. Throws ERR_INVALID_ARGUMENT. */
export function listKeys(keys: unknown): readonly string[] {
  if (Array.isArray(keys)) return Array.from(keys as readonly string[]);
  throw new SharedCacheError('ERR_INVALID_ARGUMENT', `keys must be an array of strings, received ${describe(keys)}`);
}

/** What the iterable yields, each a pair. Throws ERR_INVALID_ARGUMENT. */
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

/** Throws ERR_INVALID_ARGUMENT for anything but a version that `entry()` can have given. */
export function checkVersion(version: unknown): void {
  if (typeof version === 'number' && Number.isSafeInteger(version) && version >= 0) return;
  throw new SharedCacheError(
    'ERR_INVALID_ARGUMENT',
    `version must be one that entry() gave, received ${describe(version)}`,
  );
}

/** Throws ERR_INVALID_ARGUMENT. */
export function checkStep(by: unknown): void {
  if (typeof by === 'number' && !Number.isNaN(by)) return;
  throw new SharedCacheError('ERR_INVALID_ARGUMENT', `by must be a number, not NaN, received ${describe(by)}`);
}

/** Why nothing was added: the entry is not a number, or the sum would not be one. */
export function notCountable(key: string, by: number, why: 'mismatch' | 'not a number'): SharedCacheError {
  return new SharedCacheError(
    'ERR_INVALID_VALUE',
    why === 'mismatch'
      ? `increment needs a number under ${describe(key)}, another type is stored there`
      : `increment of ${describe(key)} by ${by} would give NaN`,
  );
}

/** Throws ERR_INVALID_ARGUMENT. */
export function checkNamespaceName(name: unknown): void {
  if (typeof name === 'string') return;
  throw new SharedCacheError('ERR_INVALID_ARGUMENT', `a namespace's name must be a string, received ${describe(name)}`);
}

export function checkObject(options: unknown, allowed: string): void {
  if (typeof options === 'object' && options !== null) return;
  throw new SharedCacheError(
    'ERR_INVALID_OPTION',
    `options must be an object ${allowed}, received ${describe(options)}`,
  );
}

/** The time in ms, or the default. Throws ERR_INVALID_TTL. */
export function ttlOf(ttl: unknown, fallback: number): number {
  return ttl === undefined ? fallback : toMs(ttl);
}
