import type { ValueKind } from '../adapters/adapter.js';
import { freshKey } from '../workloads/keys.js';
import { seededRandom } from '../workloads/random.js';
import { makeValues, VARIANTS } from '../workloads/values.js';
import { createCache, fill } from './caches.js';
import type { CostChart, CostEffort } from './chart.js';
import { measureProbes, type Probe, ticksOf } from './probe.js';

const SIZES = [8, 64, 512, 4_096, 32_768, 262_144, 1_048_576];
/** All values of one size together, where so many keys need not be more than 100,000 or less than 64. */
const TOTAL_BYTES = 64 * 2 ** 20;
const KINDS: readonly { kind: ValueKind; name: string }[] = [
  { kind: 'str', name: 'string' },
  { kind: 'buf', name: 'Buffer' },
];

/** How the size of a value changes an operation's cost. */
export const valuesChart: CostChart = {
  name: 'values',
  title: 'Cost by size of the value',
  workload: '21-byte keys, each string new, drawn uniformly; one thread',
  xTitle: 'bytes of the value',
  yTitle: 'ns an operation',
  shape: 'lines',
  label: (x) => (x >= 2 ** 20 ? `${x / 2 ** 20} MB` : x >= 1024 ? `${x / 1024} KB` : `${x} B`),
  ticks: (effort) => ticksOf(SIZES.length * KINDS.length * 2, effort),
  measure: (effort, tick) => {
    const probes = SIZES.flatMap((bytes) => KINDS.flatMap(({ kind, name }) => probesOf(kind, name, bytes, effort)));
    return { points: measureProbes(probes, effort, tick), bounds: [] };
  },
};

function probesOf(kind: ValueKind, name: string, bytes: number, { seed }: CostEffort): Probe[] {
  const keys = Math.max(64, Math.min(100_000, Math.floor(TOTAL_BYTES / bytes)));
  const random = seededRandom(seed);
  // Large values are alike: 256 different ones of 1 MB would only fill the memory.
  const values = makeValues(kind, bytes, seed, Math.max(4, Math.min(VARIANTS, Math.floor(TOTAL_BYTES / 4 / bytes))));
  const valueAt = (number: number): unknown => values[number % values.length];
  const cache = createCache<unknown>(keys, bytes);
  fill(cache, 0, keys, valueAt);
  const draw = (): number => Math.floor(random() * keys);
  return [
    {
      series: `get ${name}`,
      x: bytes,
      run: (count) => {
        for (let i = 0; i < count; i++)
          if (cache.get(freshKey(draw())) === undefined) throw new Error('a key is missing');
      },
    },
    {
      series: `put ${name}`,
      x: bytes,
      run: (count) => {
        for (let i = 0; i < count; i++) cache.put(freshKey(draw()), valueAt(i));
      },
    },
  ];
}
