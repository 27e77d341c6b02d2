import { freemem } from 'node:os';
import { short } from '../report/tables.js';
import { freshKey } from '../workloads/keys.js';
import { seededRandom } from '../workloads/random.js';
import { makeValues, VARIANTS } from '../workloads/values.js';
import { createCache, fill, roomFor } from './caches.js';
import { at, type CostChart, type CostEffort } from './chart.js';
import { measureProbes, type Probe, ticksOf } from './probe.js';

const ENTRIES = [100_000, 316_000, 1_000_000];
const LARGE_ENTRIES = [3_160_000, 10_000_000];
const VALUE_BYTES = 100;
const SERIES = {
  key: 'making the key',
  hit: 'get, hit',
  miss: 'get, miss',
  replace: 'put, replacing',
  evict: 'put, evicting',
} as const;

function entriesOf(full: boolean): readonly number[] {
  return full ? [...ENTRIES, ...LARGE_ENTRIES] : ENTRIES;
}

/** How the number of entries changes an operation's cost: keys drawn uniformly, which is the worst a memory can be asked. */
export const capacityChart: CostChart = {
  name: 'capacity',
  title: 'Cost by number of entries',
  workload: '21-byte keys, each string new, drawn uniformly; 100-byte values; one thread',
  xTitle: 'entries in the cache',
  yTitle: 'ns an operation',
  shape: 'lines',
  label: (x) => short(x),
  ticks: (effort) => {
    const capacities = entriesOf(effort.full).length;
    return capacities + ticksOf(capacities * Object.keys(SERIES).length, effort);
  },
  measure: (effort, tick) => {
    const probes = entriesOf(effort.full).flatMap((entries) => {
      tick(`fill ${short(entries)} entries`);
      // One cache that has room, and one that is full.
      const neededBytes = 2 * roomFor(entries, VALUE_BYTES);
      if (neededBytes < freemem()) return probesOf(entries, effort);
      console.error(`\n*** SKIPPED ${entries} entries: ${short(neededBytes)} bytes of memory are not free ***\n`);
      return [];
    });
    const points = measureProbes(probes, effort, tick);
    const net = (series: string, entries: number): number =>
      at(points, series, entries) - at(points, SERIES.key, entries);
    const [smallest, , middle] = ENTRIES as [number, number, number];
    const largest = entriesOf(effort.full).at(-1) as number;
    const bounds = [
      {
        title: `get at ${short(largest)} entries by get at ${short(smallest)}, without making the key`,
        wanted: 2.5,
        measured: net(SERIES.hit, largest) / net(SERIES.hit, smallest),
      },
      {
        title: `put with constant eviction by put without, at ${short(middle)} entries, without making the key`,
        wanted: 2,
        measured: net(SERIES.evict, middle) / net(SERIES.replace, middle),
      },
    ];
    return { points, bounds: bounds.map((bound) => ({ ...bound, unit: 'x', kind: 'at most' as const })) };
  },
};

function probesOf(entries: number, { seed }: CostEffort): Probe[] {
  const random = seededRandom(seed);
  const values = makeValues('str', VALUE_BYTES, seed) as readonly string[];
  const valueAt = (number: number): string => values[number % VARIANTS] as string;
  const roomy = createCache<string>(entries, VALUE_BYTES);
  fill(roomy, 0, entries, valueAt);
  const tight = createCache<string>(entries, VALUE_BYTES, { maxEntries: entries });
  fill(tight, 0, entries, valueAt);
  let next = entries;
  const draw = (): number => Math.floor(random() * entries);
  let length = 0;
  return [
    {
      series: SERIES.key,
      x: entries,
      run: (count) => {
        for (let i = 0; i < count; i++) length += freshKey(draw()).length;
        if (length < 0) throw new Error('a key without length');
      },
    },
    {
      series: SERIES.hit,
      x: entries,
      run: (count) => {
        for (let i = 0; i < count; i++)
          if (roomy.get(freshKey(draw())) === undefined) throw new Error('a key is missing');
      },
    },
    {
      series: SERIES.miss,
      x: entries,
      run: (count) => {
        for (let i = 0; i < count; i++)
          if (roomy.get(freshKey(entries + draw())) !== undefined) throw new Error('a key is there that was never put');
      },
    },
    {
      series: SERIES.replace,
      x: entries,
      run: (count) => {
        for (let i = 0; i < count; i++) roomy.put(freshKey(draw()), valueAt(i));
      },
    },
    {
      series: SERIES.evict,
      x: entries,
      run: (count) => {
        for (let i = 0; i < count; i++) tight.put(freshKey(next++ % 100_000_000), valueAt(i));
      },
    },
  ];
}
