import ms from 'ms';
import { describe, SharedCacheError } from './errors.js';

/**
 * A time: a number of ms, or a string in the grammar of the [ms](https://github.com/vercel/ms) package, such as `'500ms'`,
 * `'10s'`, `'5m'`, `'2h'` or `'1d'`.
 */
export type Duration = number | string;

const MOST_CHARACTERS = 100;

/** A time that is a string in ms, and anything else as it is, for checks of bounds. Throws ERR_INVALID_TTL for a string that is none. */
export function msOfText(duration: unknown, name: string): unknown {
  return typeof duration === 'string' ? toMs(duration, name) : duration;
}

/** The time in ms, which may be Infinity. Throws ERR_INVALID_TTL for anything negative and what is no time. */
export function toMs(duration: unknown, name = 'ttl'): number {
  if (typeof duration === 'number' && duration >= 0) return duration;
  if (typeof duration === 'string' && duration.length > 0 && duration.length <= MOST_CHARACTERS) {
    const parsed: unknown = ms(duration as ms.StringValue);
    if (typeof parsed === 'number' && parsed >= 0) return parsed;
  }
  throw new SharedCacheError(
    'ERR_INVALID_TTL',
    `${name} must be a number of milliseconds >= 0, Infinity or a string such as '500ms', '10s', '5m', '2h', received ${describe(duration)}`,
  );
}
