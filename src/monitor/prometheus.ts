import { cellOf, MAX_NS } from './buckets.js';
import type { OperationSnapshot } from './snapshot.js';
import type { MonitoredTotals } from './types.js';

/** One metric of the exposition, in the shape that prom-client's registry asks its own metrics for. */
export interface MetricFamily {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  aggregator: 'sum';
  values: MetricSample[];
}

export interface MetricSample {
  /** Default the family's name. */
  metricName?: string;
  labels: Record<string, string>;
  value: number;
}

/** Upper bounds in seconds: 1, 2.5 and 5 in every decade from 100 ns to 100 s. */
const BOUNDS = [-7, -6, -5, -4, -3, -2, -1, 0, 1].flatMap((decade) =>
  [1, 2.5, 5].map((step) => Number(`${step}e${decade}`)),
);
BOUNDS.push(100);

export interface MonitorState {
  operations: [string, OperationSnapshot][];
  totals: MonitoredTotals | undefined;
  unlisted: number;
}

const DURATION = 'mooncake_operation_duration_seconds';

export function metricFamilies({ operations, totals, unlisted }: MonitorState): MetricFamily[] {
  const perOperation = (value: (snapshot: OperationSnapshot) => number): MetricSample[] =>
    operations.map(([operation, snapshot]) => ({ labels: labelsOf(operation), value: value(snapshot) }));
  const families = [
    family(
      DURATION,
      'histogram',
      'Durations of recorded operations; sampled ones only where an operation is sampled.',
      operations.flatMap(([operation, snapshot]) => histogramSamples(operation, snapshot)),
    ),
    family(
      'mooncake_operations_total',
      'counter',
      'Operations; where sampled, those the recorded ones stand for.',
      perOperation((s) => Math.max(s.operations, s.recorded)),
    ),
    family(
      'mooncake_operation_failures_total',
      'counter',
      'Recorded operations that failed.',
      perOperation((s) => s.failures),
    ),
    family(
      'mooncake_operation_bytes_total',
      'counter',
      'Bytes of recorded operations.',
      perOperation((s) => s.sumBytes),
    ),
    family(
      'mooncake_operation_clamped_total',
      'counter',
      'Recorded durations longer than the longest told apart.',
      perOperation((s) => s.clamped),
    ),
    family('mooncake_monitor_unlisted_total', 'counter', 'Records absent from recent metrics for want of a place.', [
      { labels: {}, value: unlisted },
    ]),
  ];
  return totals === undefined ? families : [...families, ...cacheFamilies(totals)];
}

function cacheFamilies(totals: MonitoredTotals): MetricFamily[] {
  const one = (name: string, type: 'counter' | 'gauge', help: string, value: number): MetricFamily =>
    family(name, type, help, [{ labels: {}, value }]);
  return [
    one('mooncake_cache_hits_total', 'counter', 'Lookups that found a live entry.', totals.hits),
    one('mooncake_cache_misses_total', 'counter', 'Lookups that found none.', totals.misses),
    one('mooncake_cache_evictions_total', 'counter', 'Entries evicted for want of memory or places.', totals.evictions),
    one(
      'mooncake_cache_invalidations_total',
      'counter',
      'Entries removed because a tag of theirs was invalidated or their namespace cleared.',
      totals.invalidations ?? 0,
    ),
    family(
      'mooncake_cache_left_total',
      'counter',
      'Entries that left, by cause.',
      Object.entries(totals.left ?? {}).map(([cause, value]) => ({ labels: { cause }, value })),
    ),
    one('mooncake_cache_puts_total', 'counter', 'Entries that were to be stored.', totals.puts ?? 0),
    one(
      'mooncake_cache_rejections_total',
      'counter',
      'Puts refused because the entry can never be stored.',
      totals.rejections ?? 0,
    ),
    one(
      'mooncake_cache_recoveries_total',
      'counter',
      'Repairs of what a dead thread had left locked.',
      totals.recoveries ?? 0,
    ),
    one(
      'mooncake_cache_lock_timeouts_total',
      'counter',
      'Operations given up because a lock was not to be had.',
      totals.lockTimeouts ?? 0,
    ),
    one('mooncake_cache_loads_total', 'counter', 'Loaders run.', totals.loads ?? 0),
    one('mooncake_cache_waits_total', 'counter', "Callers that waited for another's load.", totals.waits ?? 0),
    one(
      'mooncake_cache_takeovers_total',
      'counter',
      'Loads taken over from a thread that died or failed.',
      totals.takeovers ?? 0,
    ),
    one('mooncake_cache_threads', 'gauge', 'Threads attached.', totals.threads ?? 0),
    one('mooncake_cache_entries', 'gauge', 'Live entries.', totals.totalObjects),
    one('mooncake_cache_memory_bytes', 'gauge', 'Bytes of live entries with their bookkeeping.', totals.memoryUsage),
    one('mooncake_cache_max_bytes', 'gauge', 'Bound of the shared memory.', totals.maxBytes),
  ];
}

function histogramSamples(operation: string, snapshot: OperationSnapshot): MetricSample[] {
  const samples: MetricSample[] = [];
  let cell = 0;
  let cumulative = 0;
  for (const bound of BOUNDS) {
    // A cell that the bound cuts counts below it: at most 0.1 % off.
    const last = cellOf(Math.min(Math.round(bound * 1e9), MAX_NS));
    for (; cell <= last; cell++) cumulative += snapshot.counts[cell];
    samples.push({
      metricName: `${DURATION}_bucket`,
      labels: { le: String(bound), ...labelsOf(operation) },
      value: cumulative,
    });
  }
  samples.push({
    metricName: `${DURATION}_bucket`,
    labels: { le: '+Inf', ...labelsOf(operation) },
    value: snapshot.recorded,
  });
  samples.push({ metricName: `${DURATION}_sum`, labels: labelsOf(operation), value: snapshot.sumNs / 1e9 });
  samples.push({ metricName: `${DURATION}_count`, labels: labelsOf(operation), value: snapshot.recorded });
  return samples;
}

/** No exposition format can escape a carriage return, and some readers end the line at it: its symbol stands for it. */
const labelsOf = (operation: string): Record<string, string> => ({ operation: operation.replace(/\r/g, '\u240d') });

function family(name: string, type: MetricFamily['type'], help: string, values: MetricSample[]): MetricFamily {
  return { name, help, type, aggregator: 'sum', values };
}

/**
 * Text exposition format 0.0.4. Written here because prom-client's registry answers through promises only, and this must
 * return its text at once, from any thread; registry.ts offers the same families to a prom-client registry.
 */
export function toText(families: readonly MetricFamily[]): string {
  const lines: string[] = [];
  for (const { name, help, type, values } of families) {
    if (values.length === 0) continue;
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const { metricName = name, labels, value } of values) {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
      lines.push(`${metricName}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function escapeLabel(text: string): string {
  return text.toWellFormed().replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"');
}
