import { describe, SharedCacheError } from '../errors.js';

/** A value that cannot come back as it is stored. */
export function unstorable(why: string): SharedCacheError {
  return new SharedCacheError('ERR_INVALID_VALUE', `the value cannot be stored: ${why}`);
}

const tagOf = (value: object): string => Object.prototype.toString.call(value).slice(8, -1);

/**
 * Throws ERR_INVALID_VALUE for an object of a class of the platform whose data are no properties (a URL, Headers, a stream):
 * it would come back as an empty object. `keys` are its own enumerable ones.
 */
export function refuseEmptied(value: object, keys: readonly string[]): void {
  if (keys.length > 0) return;
  const tag = tagOf(value);
  if (tag !== 'Object' && tag !== 'Arguments')
    throw unstorable(`of ${describe(value)} of class ${tag} nothing would be left`);
}

/** Whether it is an object of a program's own class, whose data are its own properties, as structuredClone takes them. */
export const isOrdinary = (value: object): boolean => tagOf(value) === 'Object';
