import { type MetricFamily, type MetricSample, type MonitorState, metricFamilies } from './prometheus.js';

/** The part of prom-client's Registry that is used; any version with pull-time metrics fits. */
export interface PrometheusRegistry {
  /** prom-client's. */
  registerMetric(metric: never): void;
  /** Which exposition format it writes. */
  readonly contentType?: string;
}

/** A monitor as a registry knows it: what it would show now, undefined once it is closed. */
export type MetricSource = () => MonitorState | undefined;

/** What one registry shows: the monitors registered in it, and what those that were closed had counted. */
interface Registered {
  readonly sources: Set<MetricSource>;
  /** Counters and histograms of closed monitors by family: a counter that went back would look like a restart. */
  readonly ended: Map<string, MetricSample[]>;
}

const registries = new WeakMap<PrometheusRegistry, Registered>();

const NOTHING: MonitorState = {
  operations: [],
  totals: {
    hits: 0,
    misses: 0,
    evictions: 0,
    totalObjects: 0,
    memoryUsage: 0,
    maxBytes: 0,
    invalidations: 0,
    left: {},
  },
  unlisted: 0,
};

/**
 * Adds a monitor's metrics to a prom-client registry, computed anew at each scrape. All monitors of a registry share its
 * metrics, each the sum over them; registering one twice changes nothing. Returns what takes it out again, with its last
 * values staying in the counters.
 */
export function registerIn(registry: PrometheusRegistry, source: MetricSource): () => void {
  const known = registries.get(registry);
  const registered = known ?? { sources: new Set(), ended: new Map() };
  if (known === undefined) {
    const current = oncePerScrape(() => [...registered.sources].flatMap(familiesOf));
    // Only once all of them are registered: a registry that refuses one is not half known.
    for (const blank of metricFamilies(NOTHING)) {
      const get = async (): Promise<MetricFamily> => ({
        ...blank,
        name: nameIn(registry, blank),
        values: samplesOf(blank.name, registered, current()),
      });
      registry.registerMetric({ ...blank, values: [], get, reset() {} } as never);
    }
    registries.set(registry, registered);
  }
  registered.sources.add(source);
  return () => {
    if (!registered.sources.delete(source)) return;
    for (const { name, type, values } of familiesOf(source)) {
      if (type !== 'gauge') registered.ended.set(name, sum([...(registered.ended.get(name) ?? []), ...values]));
    }
  };
}

/** In OpenMetrics a counter's family has no suffix; prom-client adds it to the samples. */
function nameIn({ contentType }: PrometheusRegistry, { name, type }: MetricFamily): string {
  const isOpenMetrics = contentType?.includes('openmetrics') ?? false;
  return isOpenMetrics && type === 'counter' ? name.replace(/_total$/, '') : name;
}

function samplesOf(name: string, { ended }: Registered, current: readonly MetricFamily[]): MetricSample[] {
  const values = current.filter((family) => family.name === name).flatMap((family) => family.values);
  return sum([...(ended.get(name) ?? []), ...values]);
}

/** A registry asks all its metrics in one go, before any promise goes on: what is computed for the first serves all. */
function oncePerScrape<T>(compute: () => T): () => T {
  let computed: { readonly value: T } | undefined;
  return () => {
    if (computed === undefined) {
      computed = { value: compute() };
      queueMicrotask(() => {
        computed = undefined;
      });
    }
    return computed.value;
  };
}

function familiesOf(source: MetricSource): MetricFamily[] {
  const state = source();
  return state === undefined ? [] : metricFamilies(state);
}

/** Samples of one name and the same labels become one. */
function sum(samples: readonly MetricSample[]): MetricSample[] {
  const sums = new Map<string, MetricSample>();
  for (const sample of samples) {
    const key = JSON.stringify([sample.metricName, Object.entries(sample.labels)]);
    const before = sums.get(key);
    sums.set(key, before === undefined ? sample : { ...sample, value: before.value + sample.value });
  }
  return [...sums.values()];
}
