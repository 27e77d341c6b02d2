import type { Codec } from './codec/codec.js';
import { type Duration, msOfText, toMs } from './duration.js';
import { describe, rejectUnknown, SharedCacheError } from './errors.js';
import { EVICTION_NAMES, type EvictionName } from './policy/index.js';

/** Settings of a new cache, for all threads and for its life. Unknown names throw ERR_INVALID_OPTION. */
export interface SharedCacheOptions {
  /** Bound of the cache's shared memory in bytes, keys, values, index and bookkeeping together: a number or a string such as
   *  `'64MB'` (1 MB = 1024 x 1024). Default `'64MB'`, at least `'1MB'`. */
  maxBytes?: number | string | undefined;
  /** Second bound, by number of entries. Default none. */
  maxEntries?: number | undefined;
  /** Time to live of an entry when the call does not say: ms, or a string such as `'5m'`; `Infinity` never expires. Default
   *  3,600,000 (one hour). */
  ttl?: Duration | undefined;
  /** Eviction policy. Default `'adaptive'`. */
  eviction?: EvictionName | undefined;
  /** Number of lock domains, a power of two; with fewer `maxEntries` than that, lowered so that each can hold an entry.
   *  Default: one for each MB up to 8, then one for each 4 MB up to 32, and 512 entries or more for each. */
  shards?: number | undefined;
  /** Bytes of key, value and the 24-byte head of a typical entry; sets how many entries the index is made for. Lower it for
   *  many tiny entries, raise it to give large ones the index's memory. Default 152. */
  averageEntryBytes?: number | undefined;
  /** How objects become bytes. Default: what structuredClone keeps. Every thread must attach with the same one. */
  codec?: Codec | undefined;
  /** Latency recording: `true`, or its settings. Default off. */
  monitor?: boolean | MonitorSettings | undefined;
  /** Background removal of expired entries, by a thread the creator starts, or by the creator itself where none can
   *  be started; every `intervalMs` (default 50) it advances the coarse clock and sweeps a part of the cache, all of it in
   *  about 20 turns. Default on. */
  sweep?: boolean | SweepSettings | undefined;
  /** Whether `get` and whatever else reads gives deeply frozen values: a thread that reads an unchanged one again gets the same
   *  object, decoded once. For values made of primitives, plain objects and arrays; others come back as copies. Default
   *  false. */
  frozen?: boolean | undefined;
  /** Bound of what each thread keeps near in a cache of frozen values, in encoded bytes of keys and values, at least 64 for
   *  each: a number or a string such as `'8MB'`. 0 keeps nothing. Without `frozen` it changes nothing. Default an eighth of
   *  `maxBytes`, and at most 8 MB. */
  nearBytes?: number | string | undefined;
  /** Longest wait for a lock that a live thread keeps, ms or a string such as `'5s'`, before a get misses and a put is refused.
   *  Default 5,000. */
  lockTimeoutMs?: Duration | undefined;
  /** The creating thread's clock, for tests: the time in ms, of which the cache takes whole ones. Nothing is swept in the
   *  background then. Default the machine's monotonic clock. */
  now?: (() => number) | undefined;
}

/** Settings of `SharedCache.open`: those of a new cache, which the file has from then on, and what only an open is told. */
export interface OpenOptions extends SharedCacheOptions {
  /** Whether the cache must be there: a path without one, or with one that cannot be used, is left as it is and throws
   *  ERR_INVALID_FILE. Default false. */
  mustExist?: boolean | undefined;
}

/** Settings of the background removal of expired entries. */
export interface SweepSettings {
  /** Time between two turns, 1 to 60,000 ms or a string such as `'1s'`. Default 50. */
  intervalMs?: Duration | undefined;
}

/** Settings of a cache's own monitor. */
export interface MonitorSettings {
  /** One operation in so many is timed, 1 to 1,000,000. Default 128. */
  sample?: number | undefined;
  /** Recent metrics kept for each thread, 1 to 65,536, and keys, up to 256. Default 1,024. */
  retention?: number | undefined;
}

export interface ResolvedOptions {
  maxBytes: number;
  maxEntries: number | undefined;
  ttl: number;
  eviction: EvictionName;
  shards: number | undefined;
  averageEntryBytes: number;
  codec: Codec | undefined;
  monitor: MonitorSettings | undefined;
  sweepIntervalMs: number | undefined;
  frozen: boolean;
  nearBytes: number;
  lockTimeoutMs: number;
  now: (() => number) | undefined;
}

const MB = 1024 * 1024;
const DEFAULT_SWEEP_INTERVAL_MS = 50;
/** An eighth of the cache for each thread, but no more than this. */
const MOST_DEFAULT_NEAR_BYTES = 8 * MB;
const NAMES: readonly (keyof SharedCacheOptions)[] = [
  'maxBytes',
  'maxEntries',
  'ttl',
  'eviction',
  'shards',
  'averageEntryBytes',
  'codec',
  'monitor',
  'sweep',
  'frozen',
  'nearBytes',
  'lockTimeoutMs',
  'now',
];

/** Validates everything before anything is allocated. */
export function resolveOptions(options: SharedCacheOptions = {}, names: readonly string[] = NAMES): ResolvedOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw invalid('options', options, 'an object');
  rejectUnknown(options, names, 'option');
  const { maxBytes = 64 * MB, maxEntries, shards, ttl = 3_600_000, eviction = 'adaptive', codec } = options;
  const { averageEntryBytes = 152, lockTimeoutMs: patience = 5_000, frozen = false, nearBytes, now } = options;
  const lockTimeoutMs = msOfText(patience, 'lockTimeoutMs');
  if (maxEntries !== undefined && !isInteger(maxEntries, 1, 2 ** 31))
    throw invalid('maxEntries', maxEntries, `a whole number from 1 to ${2 ** 31}`);
  if (shards !== undefined && !(isInteger(shards, 1, 1024) && Number.isInteger(Math.log2(shards)))) {
    throw invalid('shards', shards, 'a power of two from 1 to 1024');
  }
  if (!EVICTION_NAMES.includes(eviction)) throw invalid('eviction', eviction, `one of ${EVICTION_NAMES.join(', ')}`);
  if (!isInteger(averageEntryBytes, 32, 2 ** 30))
    throw invalid('averageEntryBytes', averageEntryBytes, `a whole number from 32 to ${2 ** 30}`);
  if (!(typeof lockTimeoutMs === 'number' && lockTimeoutMs >= 1))
    throw invalid('lockTimeoutMs', lockTimeoutMs, "a number of ms from 1 or a string such as '5s'");
  if (typeof frozen !== 'boolean') throw invalid('frozen', frozen, 'a boolean');
  if (codec !== undefined) checkCodec(codec);
  if (now !== undefined) checkNow(now);
  const bytes = parseBytes(maxBytes);
  return {
    maxBytes: bytes,
    maxEntries,
    ttl: toMs(ttl),
    eviction,
    shards,
    averageEntryBytes,
    codec,
    monitor: resolveMonitor(options.monitor),
    sweepIntervalMs: now === undefined ? resolveSweep(options.sweep) : undefined,
    frozen,
    nearBytes:
      nearBytes === undefined
        ? Math.min(MOST_DEFAULT_NEAR_BYTES, Math.floor(bytes / 8))
        : parseBytes(nearBytes, 'nearBytes', 0),
    lockTimeoutMs,
    now,
  };
}

/** As resolveOptions, for an open. */
export function resolveOpenOptions(options: OpenOptions): ResolvedOptions & { mustExist: boolean } {
  const resolved = resolveOptions(options, [...NAMES, 'mustExist']);
  const { mustExist = false } = options;
  if (typeof mustExist !== 'boolean') throw invalid('mustExist', mustExist, 'a boolean');
  return { ...resolved, mustExist };
}

/** Throws ERR_INVALID_OPTION. */
export function checkCodec(codec: Codec): void {
  if (typeof codec?.encode !== 'function' || typeof codec?.decode !== 'function')
    throw invalid('codec', codec, 'an object with encode and decode functions');
}

/** Throws ERR_INVALID_OPTION. */
export function checkNow(now: unknown): void {
  if (typeof now !== 'function') throw invalid('now', now, 'a function that returns a number of ms');
}

/** `64MB`, `1.5 GB`, `64MiB`, `512k`, `65536`: the number of bytes. */
export function parseBytes(size: number | string, name = 'maxBytes', least = MB): number {
  const allowed = `a number of bytes or a string such as '64MB', '64MiB', '512k' or '1g' (1 KB = 1024 bytes), from ${least === 0 ? '0' : '1MB'} to 1024GB`;
  let bytes = size;
  if (typeof size === 'string') {
    const match = /^\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*$/i.exec(size);
    if (match === null) throw invalid(name, size, allowed);
    bytes = Number(match[1]) * 1024 ** ' KMGT'.indexOf((match[2] || ' ').toUpperCase());
  }
  if (typeof bytes !== 'number' || !(bytes >= least && bytes <= 2 ** 40)) throw invalid(name, size, allowed);
  return Math.floor(bytes);
}

function resolveMonitor(monitor: SharedCacheOptions['monitor']): MonitorSettings | undefined {
  if (monitor === undefined || monitor === false) return undefined;
  if (monitor === true) return {};
  if (typeof monitor !== 'object' || monitor === null)
    throw invalid('monitor', monitor, 'a boolean or { sample, retention }');
  rejectUnknown(monitor, ['sample', 'retention'], 'monitor option');
  return monitor;
}

function resolveSweep(sweep: SharedCacheOptions['sweep']): number | undefined {
  if (sweep === false) return undefined;
  if (sweep === undefined || sweep === true) return DEFAULT_SWEEP_INTERVAL_MS;
  if (typeof sweep !== 'object' || sweep === null) throw invalid('sweep', sweep, 'a boolean or { intervalMs }');
  rejectUnknown(sweep, ['intervalMs'], 'sweep option');
  const { intervalMs: interval = DEFAULT_SWEEP_INTERVAL_MS } = sweep;
  const intervalMs = msOfText(interval, 'sweep.intervalMs');
  if (!(typeof intervalMs === 'number' && intervalMs >= 1 && intervalMs <= 60_000)) {
    throw invalid('sweep.intervalMs', intervalMs, "a number of ms from 1 to 60000 or a string such as '1s'");
  }
  return intervalMs;
}

function isInteger(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}

function invalid(name: string, received: unknown, allowed: string): SharedCacheError {
  return new SharedCacheError('ERR_INVALID_OPTION', `${name} must be ${allowed}, received ${describe(received)}`);
}
