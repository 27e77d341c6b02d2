import type { OperationSnapshot } from './snapshot.js';
import type { OperationSummary } from './types.js';

const NS_PER_MS = 1e6;

/** Undefined when nothing was recorded. */
export function summarize(snapshot: OperationSnapshot, elapsedMs: number): OperationSummary | undefined {
  const { recorded, operations, minNs, maxNs } = snapshot;
  if (recorded === 0) return undefined;
  const histogram = snapshot.toHistogram();
  // hdr-histogram-js answers with the top of a cell, which may lie above the longest duration there was.
  const percentile = (p: number): number => Math.min(histogram.getValueAtPercentile(p), maxNs) / NS_PER_MS;
  // While others write, the sum of operations may run one record ahead of the counts.
  const count = Math.max(operations, recorded);
  return {
    count,
    recorded,
    sampled: count > recorded,
    successRate: Math.max(0, 1 - snapshot.failures / recorded),
    avgDuration: snapshot.sumNs / recorded / NS_PER_MS,
    avgDataSize: snapshot.sumBytes / recorded,
    opsPerSecond: elapsedMs > 0 ? count / (elapsedMs / 1000) : 0,
    min: minNs / NS_PER_MS,
    p50: percentile(50),
    p90: percentile(90),
    p99: percentile(99),
    p999: percentile(99.9),
    max: maxNs / NS_PER_MS,
  };
}
