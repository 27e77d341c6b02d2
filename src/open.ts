import { DEFAULT_SAMPLE } from './cache-timing.js';
import { describe, SharedCacheError } from './errors.js';
import { Arena, type ArenaBuffers } from './memory/arena.js';
import {
  CONTROL,
  FLAG_CUSTOM_CODEC,
  FLAG_FROZEN,
  LAYOUT_VERSION,
  MAX_THREADS_OF_PROCESSES,
  SHARD,
} from './memory/layout.js';
import { planSizes, type Sizing } from './memory/sizing.js';
import { monitorLayout } from './monitor/layout.js';
import { MonitorMemory } from './monitor/memory.js';
import { type MonitorDimensions, resolveMonitorOptions } from './monitor/options.js';
import { type OpenOptions, type ResolvedOptions, resolveOpenOptions } from './options.js';
import { EVICTION_NAMES, policies } from './policy/index.js';
import { type Content, type Opened, openFile } from './process/open.js';
import { Clock } from './sync/clock.js';

/** Options that are the file's: a later open may leave them out, and must not name others. */
const SHARED = [
  'maxBytes',
  'maxEntries',
  'ttl',
  'eviction',
  'shards',
  'averageEntryBytes',
  'lockTimeoutMs',
  'sweep',
  'frozen',
  'nearBytes',
  'monitor',
] as const;

/** What the file says the cache was made with: the options as they were resolved. */
type Made = Record<(typeof SHARED)[number] | 'codec', unknown>;

/** A cache that was opened by its path. */
export interface OpenedCache {
  readonly arena: Arena;
  readonly opened: Opened<Made>;
  readonly sweepIntervalMs: number | undefined;
}

/** How the policy's memory is planned. */
export function sizesOf(resolved: ResolvedOptions, threadCount?: number): Sizing {
  const { shardWords, globalWords } = policies[resolved.eviction];
  return planSizes({ ...resolved, threadCount, policyShardWords: shardWords, policyGlobalWords: globalWords });
}

/** Makes zeroed buffers a cache with these options. */
export function formatCache(buffers: ArenaBuffers, sizing: Sizing, resolved: ResolvedOptions): Arena {
  const arena = Arena.format(buffers, sizing, settingsOf(resolved));
  Clock.start(arena.doubles);
  return arena;
}

export function settingsOf(resolved: ResolvedOptions): Parameters<typeof Arena.format>[2] {
  return {
    evictionId: EVICTION_NAMES.indexOf(resolved.eviction),
    flags: (resolved.codec === undefined ? 0 : FLAG_CUSTOM_CODEC) | (resolved.frozen ? FLAG_FROZEN : 0),
    defaultTtl: resolved.ttl,
    maxBytes: resolved.maxBytes,
    maxEntries: resolved.maxEntries,
    lockTimeoutMs: resolved.lockTimeoutMs,
    nearBytes: resolved.nearBytes,
  };
}

/** Throws what openFile throws, ERR_INVALID_OPTION, and ERR_INVALID_TTL. */
export function openCache(path: string, options: OpenOptions): OpenedCache {
  const resolved = resolveOpenOptions(options);
  const monitor = monitorOf(resolved);
  // Of a new file alone: beside options that are the file's, those that are named may be impossible with the defaults.
  const plan = (): Sizing => sizesOf(resolved, MAX_THREADS_OF_PROCESSES);
  const content: Content<Made> = {
    layoutVersion: LAYOUT_VERSION,
    mustExist: resolved.mustExist,
    describe: () => {
      const sizing = plan();
      return {
        sizes: [...Arena.sizes(sizing), ...(monitor === undefined ? [] : [monitorLayout(monitor).bytes])],
        options: JSON.stringify(madeOf({ ...resolved, shards: sizing.shardCount })),
      };
    },
    fill: (buffers) => {
      const regions = regionsOf(buffers, monitor !== undefined);
      formatCache(regions.cache, plan(), resolved);
      if (monitor !== undefined) MonitorMemory.format(regions.monitor as SharedArrayBuffer, monitor);
    },
    read: (text) => JSON.parse(text) as Made,
    isSound: (buffers, made) => isSound(regionsOf(buffers, hasMonitor(made))),
    agree: (made) => agree(made, options, resolved),
    revive: (buffers, made, rebooted) => revive(Arena.attach(regionsOf(buffers, hasMonitor(made)).cache), rebooted),
  };
  const opened = openFile(path, content);
  const { buffers, handle } = opened.place;
  const { made } = opened;
  try {
    const { cache, monitor } = regionsOf(buffers, hasMonitor(made));
    const arena = Arena.attach({ ...cache, file: { ...handle, monitor } });
    const isSwept = made.sweep !== false && resolved.now === undefined;
    return { arena, opened, sweepIntervalMs: isSwept ? Number(made.sweep) : undefined };
  } catch (error) {
    opened.place.close();
    throw error;
  }
}

/** The mapped memory, region by region: the cache's, and behind it that of its monitor. */
interface Regions {
  readonly cache: ArenaBuffers;
  readonly monitor: SharedArrayBuffer | undefined;
}

function regionsOf([control, ...others]: readonly SharedArrayBuffer[], hasMonitor: boolean): Regions {
  const monitor = hasMonitor ? others.pop() : undefined;
  return { cache: { control, segments: others }, monitor };
}

const hasMonitor = ({ monitor }: Made): boolean => monitor !== null;

/** What the monitor in the file is made for; undefined without one. */
function monitorOf({ monitor }: ResolvedOptions): MonitorDimensions | undefined {
  return monitor === undefined ? undefined : resolveMonitorOptions({ sample: DEFAULT_SAMPLE, ...monitor });
}

/** As text, which can be compared. */
function describeMonitor(resolved: ResolvedOptions): string | null {
  const monitor = monitorOf(resolved);
  return monitor === undefined
    ? null
    : `one operation in ${monitor.sample} timed, ${monitor.retention} kept for each thread`;
}

/** JSON has no Infinity. */
function madeOf(resolved: ResolvedOptions): Made {
  return {
    maxBytes: resolved.maxBytes,
    maxEntries: resolved.maxEntries ?? null,
    ttl: String(resolved.ttl),
    eviction: resolved.eviction,
    shards: resolved.shards ?? null,
    averageEntryBytes: resolved.averageEntryBytes,
    lockTimeoutMs: String(resolved.lockTimeoutMs),
    sweep: resolved.sweepIntervalMs ?? false,
    frozen: resolved.frozen,
    nearBytes: resolved.nearBytes,
    monitor: describeMonitor(resolved),
    codec: resolved.codec !== undefined,
  };
}

/** Throws ERR_INVALID_OPTION for an option that was named and is another than the file's. */
function agree(made: Made, options: OpenOptions, resolved: ResolvedOptions): void {
  const asked = madeOf(resolved);
  for (const name of SHARED) {
    if (options[name] === undefined || asked[name] === made[name]) continue;
    throw new SharedCacheError(
      'ERR_INVALID_OPTION',
      `${name} is ${describe(made[name])} in the cache that is there, received ${describe(asked[name])}; leave it out to take what is there`,
    );
  }
  if (asked.codec === made.codec) return;
  throw new SharedCacheError(
    'ERR_INVALID_OPTION',
    `codec must be ${made.codec ? 'the one the cache was made with' : 'left out, as when the cache was made'}, received ${describe(options.codec)}`,
  );
}

/** Whether header and shard heads make sense; nothing behind them is looked at. */
function isSound({ cache, monitor }: Regions): boolean {
  let arena: Arena;
  try {
    arena = Arena.attach(cache);
    if (monitor !== undefined) MonitorMemory.check(monitor);
  } catch {
    return false;
  }
  if (policies[EVICTION_NAMES[arena.words[CONTROL.evictionId]]] === undefined) return false;
  return arena.shards.every(({ words: m, slotCount, geometry }) => {
    const isLockWord = m[SHARD.lock] < 0 || m[SHARD.lock] % 2 === 0;
    const hasEntries = m[SHARD.entries] >= 0 && m[SHARD.entries] <= slotCount;
    return isLockWord && hasEntries && m[SHARD.freshPages] >= 0 && m[SHARD.freshPages] <= geometry.pageCount;
  });
}

/** Nobody uses the cache: what the dead left beside their locks, which are taken from them one by one. */
function revive(arena: Arena, rebooted: boolean): void {
  arena.words[CONTROL.ticking] = 0;
  arena.words[CONTROL.listening] = 0;
  if (rebooted) Clock.restart(arena.doubles);
}
