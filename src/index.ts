export type { PutOptions } from './arguments.js';
export { type AttachOptions, SharedCache } from './cache.js';
export type { Codec } from './codec/codec.js';
export type { PlacedKey } from './codec/placed-key.js';
export type { Inspection } from './debug/check.js';
export type { Duration } from './duration.js';
export { type ErrorCode, SharedCacheError } from './errors.js';
export type { AsyncLoadOptions, LoaderContext, LoadOptions } from './flight/options.js';
export type { WrapOptions } from './flight/wrap.js';
export type { SharedCacheHandle } from './handle.js';
export type { CounterEntry, Entry, Keyspace, Synchronous } from './keyspace.js';
export type { Cause, LeaveEvent, LeaveListener, ListenOptions } from './listen.js';
export { SharedMonitor } from './monitor/monitor.js';
export type { Recorder, Sampler } from './monitor/recorder.js';
export type { PrometheusRegistry } from './monitor/registry.js';
export type {
  HotKey,
  HottestKeys,
  MonitoredTotals,
  MonitorInterval,
  OperationSummary,
  PerformanceMetric,
  SharedMonitorHandle,
  SharedMonitorOptions,
  ThroughputPoint,
} from './monitor/types.js';
export { Namespace } from './namespace.js';
export type { MonitorSettings, OpenOptions, SharedCacheOptions, SweepSettings } from './options.js';
export type { EvictionName } from './policy/index.js';
export { CachePool, type CachePoolOptions, type PoolRunOptions } from './pool/pool.js';
export type { TaskContext } from './pool/task.js';
export type { Origin } from './process/open.js';
export type { DumpReport, LoadReport, SnapshotOptions, SnapshotProgress } from './snapshot/options.js';
export type { CacheStats } from './stats.js';
