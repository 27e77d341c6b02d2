/** From samples, oldest first, to lines: one value for each sample, null where there is none. */

/**
 * The change of something between each sample and the one before, for each second. A counter that went back began anew.
 * A page that slept has a gap, and one value for all of it.
 */
function rate(samples, of) {
  return samples.map((sample, i) => {
    if (i === 0) return null;
    const before = samples[i - 1];
    const seconds = (sample.at - before.at) / 1000;
    return seconds > 0 ? Math.max(0, of(sample.stats) - of(before.stats)) / seconds : null;
  });
}

export function operations(samples) {
  return [
    { label: 'reads', values: rate(samples, ({ hits, misses }) => hits + misses) },
    { label: 'writes', values: rate(samples, ({ puts }) => puts) },
    { label: 'deletes', values: rate(samples, ({ deletes }) => deletes) },
    { label: 'loads', values: rate(samples, ({ loads }) => loads) },
  ];
}

export function ratio(samples) {
  const hits = rate(samples, (stats) => stats.hits);
  const misses = rate(samples, (stats) => stats.misses);
  const values = hits.map((hit, i) => (hit === null || hit + misses[i] === 0 ? null : hit / (hit + misses[i])));
  return [{ label: 'hit ratio', values }];
}

/** @param percentile p50, p90, p99 or max */
export function latency(samples, percentile) {
  const names = [...new Set(samples.flatMap(({ latency }) => Object.keys(latency)))].sort();
  return names.map((label) => ({ label, values: samples.map(({ latency }) => latency[label]?.[percentile] ?? null) }));
}

/** The causes for which anything has left. */
export function left(samples) {
  const last = samples[samples.length - 1].stats.left;
  return Object.keys(last)
    .filter((cause) => last[cause] > 0)
    .map((cause) => ({ label: cause, values: rate(samples, (stats) => stats.left[cause]), total: last[cause] }));
}

export function memory(samples) {
  return [{ label: 'in use', values: samples.map(({ stats }) => stats.memoryUsage) }];
}

/** The mean of the last values there are: one second alone jumps about. */
export function recent(values, seconds = 3) {
  const known = values.slice(-seconds).filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
