import type { ThroughputPoint } from '../types.js';
import { formatCount, formatPercent, formatTime } from './format.js';
import { chart, FRAME, round, type Tick, xOf, yOf } from './frame.js';

const HEIGHT = 240;

/** Operations a second of all threads. */
export function throughputChart(points: readonly ThroughputPoint[]): string {
  const { step, top } = niceScale(Math.max(1, ...points.map(({ operations }) => operations)));
  const yTicks: Tick[] = [];
  for (let value = 0; value <= top; value += step) yTicks.push({ at: value / top, label: formatCount(value) });
  const line = polyline(points, ({ operations }) => operations / top);
  const baseline = HEIGHT - FRAME.bottom;
  const area = `<path class="area" d="M${xOf(0)} ${baseline}L${line}L${round(xOf(points.length > 1 ? 1 : 0))} ${baseline}Z"/>`;
  return frame(points, 'Operations a second over time', yTicks, `${area}<path class="line s0" d="M${line}"/>`);
}

/** Hits over lookups, second by second; seconds without a lookup are passed over. Empty when there was none at all. */
export function hitRatioChart(points: readonly ThroughputPoint[]): string {
  const looked = ({ hits, misses }: ThroughputPoint): boolean => hits + misses > 0;
  if (points.filter(looked).length < 2) return '';
  const first = points[0].second;
  const span = points[points.length - 1].second - first;
  const line = points
    .filter(looked)
    .map(
      ({ second, hits, misses }) =>
        `${round(xOf((second - first) / span))} ${round(yOf(hits / (hits + misses), HEIGHT))}`,
    )
    .join('L');
  const yTicks = [0, 0.25, 0.5, 0.75, 1].map((share): Tick => ({ at: share, label: formatPercent(share) }));
  return frame(points, 'Hit ratio over time', yTicks, `<path class="line s1" d="M${line}"/>`);
}

function frame(points: readonly ThroughputPoint[], description: string, yTicks: Tick[], content: string): string {
  const steps = Math.min(6, points.length - 1);
  const xTicks = Array.from({ length: steps + 1 }, (_, i): Tick => {
    const index = steps === 0 ? 0 : Math.round((i * (points.length - 1)) / steps);
    return {
      at: points.length > 1 ? index / (points.length - 1) : 0,
      label: formatTime(points[index].second * 1000),
    };
  });
  return chart(HEIGHT, description, xTicks, yTicks, 'time of day (UTC)', content);
}

function polyline(points: readonly ThroughputPoint[], share: (point: ThroughputPoint) => number): string {
  const last = Math.max(1, points.length - 1);
  return points.map((point, i) => `${round(xOf(i / last))} ${round(yOf(share(point), HEIGHT))}`).join('L');
}

/** About four steps of 1, 2, 2.5 or 5 times a power of ten. */
function niceScale(max: number): { step: number; top: number } {
  const rough = max / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  return { step, top: step * Math.ceil(max / step) };
}
