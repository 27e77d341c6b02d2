import type { RedisClientOptions, RedisClusterOptions, RedisSentinelOptions } from '@redis/client';
import { ttlOf } from '../arguments.js';
import { SharedCache } from '../cache.js';
import { type Duration, toMs } from '../duration.js';
import { describe, rejectUnknown, SharedCacheError } from '../errors.js';

/** A server alone, or in a managed service: `url` and whatever else `createClient` of `@redis/client` takes. */
export type RemoteServer = { url?: string | undefined } & Omit<RedisClientOptions, 'url'>;

/** The Valkey or Redis that the members of a fleet share: alone, as a cluster, or under Sentinel. */
export type RemoteOptions = RemoteServer | { cluster: RedisClusterOptions } | { sentinel: RedisSentinelOptions };

/** What `TieredCache.open` takes. Times are ms, or strings such as `'5m'`. */
export interface TieredCacheOptions {
  /** The cache of this machine, in front of the remote. Its own keys belong to the tier; namespaces of your own may be in it. */
  local: SharedCache;
  /** The client's own options, handed through; they have to travel to a thread, so functions are not allowed. */
  remote: RemoteOptions;
  /** What every key at the remote begins with, such as `'app:'`. Braces only as one `{tag}`. */
  prefix: string;
  /** TTL of an entry that is given none; default the local cache's. */
  ttl?: Duration | undefined;
  /**
   * Longest that a copy stays in the local cache; default as long as the entry lives. While the link is lost, how much longer
   * what came from the remote is served; default 5 s then.
   */
  localTtl?: Duration | undefined;
  /** After its TTL, the time in which the old value is served instead of a loader's error, or while the remote is gone. Default 0. */
  grace?: Duration | undefined;
  timeouts?: {
    /** After this, a stale value within `grace` is handed out and its load goes on. Default: never. */
    softMs?: number | undefined;
    /** Longest that a call waits for the remote, ms. Default 500. */
    remoteMs?: number | undefined;
  };
  breaker?: {
    /** Failures in a row after which the remote is left alone. Default 5. */
    failures?: number | undefined;
    /** For how long, ms, until it is tried again. Default 1,000. */
    resetMs?: number | undefined;
  };
}

/** The options, checked and with defaults. */
export interface Settings {
  readonly local: SharedCache;
  readonly remote: RemoteOptions;
  readonly prefix: string;
  readonly ttl: number;
  /** Infinity when there is none. */
  readonly localTtl: number;
  /** How long what came from the remote is served once the link is lost. */
  readonly unlinkedTtl: number;
  readonly grace: number;
  readonly softMs: number;
  readonly remoteMs: number;
  readonly failures: number;
  readonly resetMs: number;
}

const DEFAULT_REMOTE_MS = 500;
const DEFAULT_UNLINKED_MS = 5_000;
const DEFAULT_FAILURES = 5;
const DEFAULT_RESET_MS = 1_000;
const NAMES = ['local', 'remote', 'prefix', 'ttl', 'localTtl', 'grace', 'timeouts', 'breaker'] as const;

/** Throws ERR_INVALID_OPTION, ERR_INVALID_TTL. */
export function resolveTier(options: TieredCacheOptions): Settings {
  checkGroup('options', options, NAMES);
  const { local, remote, prefix, ttl, localTtl, grace, timeouts = {}, breaker = {} } = options;
  if (!(local instanceof SharedCache)) throw invalid('local', local, 'a SharedCache');
  checkRemote(remote);
  if (
    typeof prefix !== 'string' ||
    !/^[^{}\0]+(\{[^{}\0]+\}[^{}\0]*)?$|^\{[^{}\0]+\}[^{}\0]*$/.test(prefix) ||
    !prefix.isWellFormed()
  )
    throw invalid('prefix', prefix, "a string such as 'app:', with braces only as one {tag}");
  checkGroup('timeouts', timeouts, ['softMs', 'remoteMs']);
  checkGroup('breaker', breaker, ['failures', 'resetMs']);
  const graceMs = grace === undefined ? 0 : toMs(grace, 'grace');
  if (!Number.isFinite(graceMs)) throw invalid('grace', grace, 'a finite time');
  const capMs = localTtl === undefined ? Number.POSITIVE_INFINITY : toMs(localTtl, 'localTtl');
  const remoteMs = positive('timeouts.remoteMs', timeouts.remoteMs, DEFAULT_REMOTE_MS);
  return {
    local,
    remote,
    prefix,
    ttl: ttlOf(ttl, SharedCache.sessionOf(local).defaultTtl),
    localTtl: capMs,
    unlinkedTtl: Math.max(localTtl === undefined ? DEFAULT_UNLINKED_MS : capMs, graceMs),
    grace: graceMs,
    softMs: positive('timeouts.softMs', timeouts.softMs, Number.POSITIVE_INFINITY),
    remoteMs,
    failures: positive('breaker.failures', breaker.failures, DEFAULT_FAILURES),
    resetMs: positive('breaker.resetMs', breaker.resetMs, DEFAULT_RESET_MS),
  };
}

function checkRemote(remote: unknown): void {
  if (typeof remote !== 'object' || remote === null || Array.isArray(remote))
    throw invalid('remote', remote, '{ url }, { cluster } or { sentinel }');
  for (const kind of ['cluster', 'sentinel'] as const) {
    if (!(kind in remote)) continue;
    checkGroup('remote', remote, [kind]);
    const inner = (remote as Record<string, unknown>)[kind];
    if (typeof inner !== 'object' || inner === null) throw invalid(`remote.${kind}`, inner, "the client's options");
  }
  try {
    structuredClone(remote);
  } catch {
    // Without the cause, whose message may show a password.
    throw new SharedCacheError(
      'ERR_INVALID_OPTION',
      'remote must be options that can travel to a thread: plain values, no functions',
    );
  }
}

function checkGroup(name: string, given: unknown, names: readonly string[]): asserts given is object {
  if (typeof given !== 'object' || given === null) throw invalid(name, given, `{ ${names.join(', ')} }`);
  rejectUnknown(given, names, name === 'options' ? 'option' : `option of ${name}`);
}

function positive(name: string, given: unknown, standard: number): number {
  if (given === undefined) return standard;
  if (typeof given === 'number' && given > 0) return given;
  throw invalid(name, given, 'a number above 0');
}

function invalid(name: string, received: unknown, allowed: string): SharedCacheError {
  return new SharedCacheError('ERR_INVALID_OPTION', `${name} must be ${allowed}, received ${describe(received)}`);
}
