import type { Encoded } from '../codec/value.js';

/** What a load came to, in a form from which every caller gets a value of its own. */
export interface Loaded {
  /** The value, when it is a primitive. */
  readonly value: unknown;
  /** Its bytes, when it is an object. */
  readonly encoded: Encoded | undefined;
  /** Whether a tag that the loader gave was invalidated since the load began: who asked after that must ask again. */
  readonly isOutdated: boolean;
  /** Whether it is what the key has. Not when the load was overtaken. */
  readonly isStored: boolean;
}

/** Of a load of the library's own that found nothing: no value, and no failure. */
export const NOTHING: Loaded = { value: undefined, encoded: undefined, isOutdated: false, isStored: false };

export function loadedOf(value: unknown, encoded: Encoded | undefined, isOutdated = false, isStored = true): Loaded {
  return { value, encoded, isOutdated, isStored };
}
