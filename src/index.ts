export { type AttachOptions, type PutOptions, SharedCache, type SharedCacheHandle } from './cache.js';
export type { Codec } from './codec/codec.js';
export type { Inspection } from './debug/check.js';
export { type ErrorCode, SharedCacheError } from './errors.js';
export type { AsyncLoadOptions, LoadOptions } from './flight/flight.js';
export { SharedMonitor } from './monitor/monitor.js';
export type { PrometheusRegistry } from './monitor/prometheus.js';
export type { Recorder, Sampler } from './monitor/recorder.js';
export type {
  MonitoredTotals,
  MonitorInterval,
  OperationSummary,
  PerformanceMetric,
  SharedMonitorHandle,
  SharedMonitorOptions,
  ThroughputPoint,
} from './monitor/types.js';
export type { MonitorSettings, SharedCacheOptions, SweepSettings } from './options.js';
export type { EvictionName } from './policy/index.js';
export { CachePool, type CachePoolOptions, type PoolRunOptions, type TaskContext } from './pool/pool.js';
export type { CacheStats } from './stats.js';
