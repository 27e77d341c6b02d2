import { checkObject, checkTags } from '../arguments.js';
import { type Duration, msOfText, toMs } from '../duration.js';
import { checkFunction, describe, rejectUnknown, SharedCacheError } from '../errors.js';

/** Settings of getOrSetSync. Times are ms, or strings such as `'5m'`. */
export interface LoadOptions {
  /** TTL of a loaded value; default the cache's. */
  ttl?: Duration | undefined;
  /** Labels by which `invalidateTags` finds the loaded value. Default none. */
  tags?: readonly string[] | undefined;
  /** After its TTL, the time in which a value is still served, to `get` as well, while one thread refreshes it. Default 0. */
  staleTtl?: Duration | undefined;
  /** After that, the time in which the old value is served instead of a loader's error; `get` does not see it. Default 0. */
  grace?: Duration | undefined;
  /** A hit in the last share of the TTL (0 to 1) refreshes the value in the background, by one thread. Default 0. */
  refreshAhead?: number | undefined;
  /** Shortens each TTL at random by up to this share (0 to 1), so that what was loaded together does not end together.
   *  Default 0. */
  jitter?: number | undefined;
  /** Load even if the key is present. Default false. */
  force?: boolean | undefined;
  /** Longest wait for another thread's load; then the caller loads itself. Default: as long as that thread loads. */
  timeoutMs?: Duration | undefined;
}

/** Settings of getOrSet. */
export interface AsyncLoadOptions extends LoadOptions {
  /** Aborts this caller's wait; the load goes on for the others. */
  signal?: AbortSignal | undefined;
}

/** What a loader is given besides the key. */
export interface LoaderContext<V> {
  /** Aborts when every caller that waits for this load has aborted. */
  readonly signal: AbortSignal;
  /** The value that has expired, if it is still there. */
  readonly stale?: V;
  /** The TTL of what is loaded, instead of the options'. Throws ERR_INVALID_TTL. */
  setTtl(ttl: Duration): void;
  /** The tags of what is loaded, instead of the options'. Throws ERR_INVALID_ARGUMENT. */
  setTags(tags: readonly string[]): void;
  /** Hands out what is loaded without storing it. */
  skip(): void;
}

/** The options of a load, checked and with defaults. */
export interface Load {
  readonly ttl: number;
  readonly tags: readonly string[];
  readonly staleTtl: number;
  readonly grace: number;
  readonly refreshAhead: number;
  readonly jitter: number;
  readonly force: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /**
   * Whether the loader is the library's own. It asks for no other key, so it is not followed; it wants no stale value; and it may
   * find nothing, which is undefined.
   */
  readonly isOwn: boolean;
  /** Whether the loader writes: it runs whatever else goes on for the key, and overtakes that. */
  readonly isWrite: boolean;
}

const NAMES = [
  'ttl',
  'tags',
  'staleTtl',
  'grace',
  'refreshAhead',
  'jitter',
  'force',
  'timeoutMs',
  'signal',
] satisfies (keyof AsyncLoadOptions)[];
const NAMES_TEXT = `{ ${NAMES.join(', ')} }`;

/** Throws ERR_INVALID_ARGUMENT, ERR_INVALID_OPTION, ERR_INVALID_TTL. */
export function resolveLoad(loader: unknown, options: AsyncLoadOptions | undefined, defaults: Load): Load {
  checkFunction('the loader', loader);
  if (options === undefined) return defaults;
  checkObject(options, NAMES_TEXT);
  rejectUnknown(options, NAMES, 'option');
  const { ttl, tags, staleTtl, grace, refreshAhead, jitter, force = false, signal } = options;
  const timeoutMs = msOfText(options.timeoutMs, 'timeoutMs');
  if (typeof force !== 'boolean') throw invalid('force', force, 'a boolean');
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0))
    throw invalid('timeoutMs', timeoutMs, "a number of milliseconds >= 0 or a string such as '5s'");
  if (signal !== undefined && typeof signal?.addEventListener !== 'function')
    throw invalid('signal', signal, 'an AbortSignal');
  return {
    ttl: ttl === undefined ? defaults.ttl : toMs(ttl),
    tags: checkTags(tags),
    staleTtl: finite('staleTtl', staleTtl),
    grace: finite('grace', grace),
    refreshAhead: share('refreshAhead', refreshAhead),
    jitter: share('jitter', jitter),
    force,
    timeoutMs: timeoutMs ?? Number.POSITIVE_INFINITY,
    signal,
    isOwn: false,
    isWrite: false,
  };
}

/** A load without options. */
export function defaultLoad(ttl: number): Load {
  return {
    ttl,
    tags: [],
    staleTtl: 0,
    grace: 0,
    refreshAhead: 0,
    jitter: 0,
    force: false,
    timeoutMs: Number.POSITIVE_INFINITY,
    signal: undefined,
    isOwn: false,
    isWrite: false,
  };
}

/** An entry keeps the times it ends at: from never nothing can be counted on or back. */
function finite(name: string, time: Duration | undefined): number {
  if (time === undefined) return 0;
  const ms = toMs(time, name);
  if (ms !== Number.POSITIVE_INFINITY) return ms;
  throw new SharedCacheError('ERR_INVALID_TTL', `${name} must be a finite number of milliseconds, received Infinity`);
}

function share(name: string, value: unknown): number {
  if (value === undefined) return 0;
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw invalid(name, value, 'a number from 0 to 1');
}

function invalid(name: string, received: unknown, allowed: string): SharedCacheError {
  return new SharedCacheError('ERR_INVALID_ARGUMENT', `${name} must be ${allowed}, received ${describe(received)}`);
}
