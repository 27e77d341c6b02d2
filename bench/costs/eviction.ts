import { EVICTION_NAMES } from '../../src/policy/index.js';
import { freshKey } from '../workloads/keys.js';
import { seededRandom } from '../workloads/random.js';
import { makeValues, VARIANTS } from '../workloads/values.js';
import { createCache, fill } from './caches.js';
import { at, type CostChart, type CostEffort } from './chart.js';
import { measureProbes, type Probe, ticksOf } from './probe.js';

const ENTRIES = 100_000;
const VALUE_BYTES = 100;
const SERIES = {
  replace: 'put, replacing',
  insert: 'put, new key',
  evict: 'put, evicting',
  hit: 'get, hit',
} as const;

/** What eviction adds to a put, policy by policy. */
export const evictionChart: CostChart = {
  name: 'eviction',
  title: 'Cost with eviction off and on',
  workload: '100,000 entries; 21-byte keys, each string new; 100-byte values; one thread',
  emphasis: SERIES.evict,
  xTitle: 'policy',
  yTitle: 'ns an operation',
  shape: 'bars',
  label: (x) => EVICTION_NAMES[x] as string,
  ticks: (effort) => ticksOf(EVICTION_NAMES.length * Object.keys(SERIES).length, effort),
  measure: (effort, tick) => {
    const points = measureProbes(
      EVICTION_NAMES.flatMap((_, policy) => probesOf(policy, effort)),
      effort,
      tick,
    );
    const bounds = EVICTION_NAMES.map((name, policy) => ({
      title: `${name}: put with constant eviction by put of a new key without`,
      unit: 'x',
      kind: 'at most' as const,
      wanted: 1.3,
      measured: at(points, SERIES.evict, policy) / at(points, SERIES.insert, policy),
    }));
    return { points, bounds };
  },
};

function probesOf(policy: number, { seed }: CostEffort): Probe[] {
  const eviction = EVICTION_NAMES[policy];
  if (eviction === undefined) throw new Error(`no policy number ${policy}`);
  const random = seededRandom(seed);
  const values = makeValues('str', VALUE_BYTES, seed) as readonly string[];
  const valueAt = (number: number): string => values[number % VARIANTS] as string;
  const draw = (): number => Math.floor(random() * ENTRIES);
  const roomy = createCache<string>(ENTRIES, VALUE_BYTES, { eviction });
  fill(roomy, 0, ENTRIES, valueAt);
  const tight = createCache<string>(ENTRIES, VALUE_BYTES, { eviction, maxEntries: ENTRIES });
  fill(tight, 0, ENTRIES, valueAt);
  // Filled once before, so that its memory has been touched.
  const emptied = createCache<string>(ENTRIES, VALUE_BYTES, { eviction });
  fill(emptied, 0, ENTRIES, valueAt);
  let next = ENTRIES;
  return [
    {
      series: SERIES.replace,
      x: policy,
      run: (count) => {
        for (let i = 0; i < count; i++) roomy.put(freshKey(draw()), valueAt(i));
      },
    },
    {
      series: SERIES.insert,
      x: policy,
      most: ENTRIES,
      prepare: () => emptied.clear(),
      run: (count) => {
        for (let i = 0; i < count; i++) emptied.put(freshKey(i), valueAt(i));
      },
    },
    {
      series: SERIES.evict,
      x: policy,
      run: (count) => {
        for (let i = 0; i < count; i++) tight.put(freshKey(next++ % 100_000_000), valueAt(i));
      },
    },
    {
      series: SERIES.hit,
      x: policy,
      run: (count) => {
        for (let i = 0; i < count; i++)
          if (roomy.get(freshKey(draw())) === undefined) throw new Error('a key is missing');
      },
    },
  ];
}
