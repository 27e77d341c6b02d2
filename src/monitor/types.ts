import type { PlacedKey } from '../codec/placed-key.js';
import type { MappedFile } from '../memory/arena.js';

/** Settings of a new SharedMonitor; all bounds are fixed for its life, the memory behind them is committed as it is used. */
export interface SharedMonitorOptions {
  /** Distinct operation names, 1 to 1,024. Default 64. */
  operations?: number;
  /** Threads that record at the same time with histograms of their own, 1 to 1,024; more share. Default 128. */
  threads?: number;
  /** Histograms (one for each thread and operation that meet) before the rest share one per operation. Default 256. */
  histograms?: number;
  /** Recent metrics kept for each thread, 1 to 65,536, and of a cache's monitor keys, up to 256. Default 1,024. */
  retention?: number | undefined;
  /** A recorder's sampler times one of this many operations, 1 to 1,000,000; recordOperation and time record all. Default 1. */
  sample?: number | undefined;
}

/** What another thread needs to attach; structured-cloneable. */
export interface SharedMonitorHandle {
  /** Tells it from other messages. */
  readonly kind: 'mooncake-monitor';
  /** The monitor's whole memory. */
  readonly buffer: SharedArrayBuffer;
  /** Present for the monitor of a cache that was opened by its path: the file. */
  readonly file?: MappedFile | undefined;
}

/** One operation over all threads. Durations are in ms, sizes in bytes. */
export interface OperationSummary {
  /** Operations; where sampled, those the samples stand for. */
  count: number;
  /** Durations recorded: what percentiles, rates and averages are computed from. */
  recorded: number;
  /** Whether `count` was scaled up from fewer recorded operations. */
  sampled: boolean;
  /** Share of the recorded operations that succeeded, 0 to 1. */
  successRate: number;
  /** Mean, ms. */
  avgDuration: number;
  /** Mean, bytes. */
  avgDataSize: number;
  /** `count` over the time since the monitor was made or reset; in an interval, over the interval. */
  opsPerSecond: number;
  /** Shortest, ms. */
  min: number;
  /** Median, ms. */
  p50: number;
  /** 90th percentile, ms. */
  p90: number;
  /** 99th percentile, ms. */
  p99: number;
  /** 99.9th percentile, ms. */
  p999: number;
  /** Longest, ms. */
  max: number;
}

/** One recorded operation. */
export interface PerformanceMetric {
  /** Its name. */
  operation: string;
  /** ms since the epoch, when it was recorded. */
  timestamp: number;
  /** ms. */
  duration: number;
  /** As it was recorded. */
  success: boolean;
  /** Bytes. */
  dataSize: number;
  /** worker_threads' threadId of the recording thread. */
  thread: number;
}

/** A key that many operations on a cache had. All numbers are estimates. */
export interface HotKey extends PlacedKey {
  /** Whether `key`, with its namespaces, is only the beginning of a longer one: 128 bytes are noted. */
  isCut: boolean;
  /** Its share of the operations, 0 to 1: `notes` of all notes. */
  share: number;
  /** Its operations, by the notes and the monitor's `sample`. */
  opsPerSecond: number;
  /** How often it was noted; what was noted n times is wrong by about the square root of n. */
  notes: number;
  /** How many of its notes are of a `get`; the others are of a `put` or a `delete`. */
  reads: number;
}

/** The keys that operations on a cache had most often. */
export interface HottestKeys {
  /** Operations whose key was noted, of all keys. */
  notes: number;
  /** Since when they are counted, ms since the epoch. */
  since: number;
  /** The hottest first. */
  keys: HotKey[];
}

/** What happened between two calls of interval(). */
export interface MonitorInterval {
  /** ms since the epoch. */
  start: number;
  /** ms since the epoch. */
  end: number;
  /** By name. */
  operations: Record<string, OperationSummary>;
}

/** One second of all threads. */
export interface ThroughputPoint {
  /** Seconds since the epoch. */
  second: number;
  /** Operations of any name. */
  operations: number;
  /** Operations named `get.hit`. */
  hits: number;
  /** Operations named `get.miss`. */
  misses: number;
}

/** Totals of a cache, for the exporters; SharedCache.getStats() returns them. */
export interface MonitoredTotals {
  /** Reads that found the key. */
  hits: number;
  /** Reads that did not. */
  misses: number;
  /** Entries that went to make room. */
  evictions: number;
  /** Entries in the cache. */
  totalObjects: number;
  /** Bytes. */
  memoryUsage: number;
  /** Bytes. */
  maxBytes: number;
  /** Entries removed because a tag of theirs was invalidated or their namespace cleared. */
  invalidations?: number;
  /** Entries that left, by cause. */
  left?: Readonly<Record<string, number>>;
  /** Entries that were to be stored. */
  puts?: number;
  /** Puts refused because the entry can never be stored. */
  rejections?: number;
  /** Repairs of what a dead thread had left locked. */
  recoveries?: number;
  /** Operations given up because a lock was not to be had. */
  lockTimeouts?: number;
  /** Loaders run. */
  loads?: number;
  /** Callers that waited for another's load. */
  waits?: number;
  /** Loads taken over from a thread that died or failed. */
  takeovers?: number;
  /** Threads attached. */
  threads?: number;
}
