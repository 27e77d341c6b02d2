import { CELLS, cellOf, highestOf } from '../buckets.js';
import type { OperationSnapshot } from '../snapshot.js';
import { formatDuration } from './format.js';
import { chart, FRAME, plotWidth, round, type Tick, xOf, yOf } from './frame.js';

const HEIGHT = 420;
const PERCENTILES = [0, 90, 99, 99.9, 99.99, 99.999, 99.9999, 99.99999];
/** Points closer than this, in user units, draw the same line. */
const RESOLUTION = 0.5;

/**
 * Latency by percentile as HDR users know it: to the right the share of operations that were slower shrinks tenfold with
 * every step, so that the tail gets as much room as the body. Both axes are logarithmic.
 */
export function percentilePlot(series: readonly [string, OperationSnapshot][]): string {
  const most = Math.max(...series.map(([, { recorded }]) => recorded), 10);
  const decades = Math.min(Math.log10(most), PERCENTILES.length - 1);
  const lowest = Math.log10(Math.max(1, Math.min(...series.map(([, { minNs }]) => minNs))));
  const highest = Math.log10(Math.max(10, ...series.map(([, { maxNs }]) => maxNs)));
  const bottom = Math.floor(lowest);
  const top = Math.max(bottom + 1, Math.ceil(highest));
  const height = (ns: number): number =>
    yOf((Math.log10(Math.max(ns, 10 ** bottom)) - bottom) / (top - bottom), HEIGHT);
  const xTicks = PERCENTILES.filter((_, i) => i <= decades).map(
    (percentile, i): Tick => ({ at: i / decades, label: `${percentile} %` }),
  );
  const yTicks = Array.from({ length: top - bottom + 1 }, (_, i): Tick => {
    return { at: i / (top - bottom), label: formatDuration(10 ** (bottom + i)) };
  });
  const lines = series.map(([, snapshot], i) => `<path class="line s${i}" d="${path(snapshot, decades, height)}"/>`);
  return chart(HEIGHT, 'Latency by percentile', xTicks, yTicks, 'percentile of operations', lines.join(''));
}

function path(snapshot: OperationSnapshot, decades: number, height: (ns: number) => number): string {
  const { counts, recorded, minNs, maxNs } = snapshot;
  let d = `M${FRAME.left} ${round(height(minNs))}`;
  let below = 0;
  let drawnX: number = FRAME.left;
  let drawnY = height(minNs);
  const last = cellOf(maxNs);
  for (let cell = cellOf(minNs); cell <= last && cell < CELLS; cell++) {
    if (counts[cell] === 0) continue;
    below += counts[cell];
    // All operations are at or below the longest: it is drawn where half an operation more would be.
    const slower = Math.max(recorded - below, 0.5) / recorded;
    const x = Math.min(xOf(-Math.log10(slower) / decades), FRAME.left + plotWidth);
    const y = height(Math.min(highestOf(cell), maxNs));
    if (cell !== last && Math.hypot(x - drawnX, y - drawnY) < RESOLUTION) continue;
    d += `L${round(x)} ${round(y)}`;
    drawnX = x;
    drawnY = y;
  }
  return d;
}
