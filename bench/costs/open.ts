import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SharedCache, type SharedCacheOptions } from '../../src/index.js';
import { memoryDirectory } from '../adapters/directory.js';
import { messageOrEnd } from '../message-or-end.js';
import { spread } from '../stats.js';
import { at, type CostChart, type CostEffort, type Point, type Tick } from './chart.js';
import type { Opened, OpenOrder } from './open-once.js';

const SERIES = 'open';
const BIG_BYTES = 2 ** 30;
/** Fills most of a cache of 1 GB without evicting. */
const BIG_ENTRIES = 4_000_000;
const VALUE = 'v'.repeat(100);

interface Way {
  readonly label: string;
  /** ms, at most. */
  readonly wanted: number;
  readonly options: SharedCacheOptions;
  readonly entries: number;
  /** Whether the cache was there before, and whether it is in use. */
  readonly was: 'absent' | 'in use' | 'left';
}

const ORIGINS = { absent: 'new', 'in use': 'joined', left: 'warm' } as const;

const WAYS: readonly Way[] = [
  { label: 'new, 64 MB', wanted: 100, options: { maxBytes: '64MB' }, entries: 0, was: 'absent' },
  { label: 'joined, 64 MB', wanted: 20, options: { maxBytes: '64MB' }, entries: 100_000, was: 'in use' },
  {
    label: 'warm, 1 GB',
    wanted: 1_000,
    options: { maxBytes: BIG_BYTES, averageEntryBytes: 160 },
    entries: BIG_ENTRIES,
    was: 'left',
  },
];

/** How long a process waits for its cache, from the call to its return: what maps files is loaded in it. */
export const openChart: CostChart = {
  name: 'open',
  title: 'Time to open a cache by its path',
  workload:
    'each time in a new process, which is then killed; in memory (/dev/shm), full of 100-byte strings unless new',
  xTitle: 'cache',
  yTitle: 'ms',
  shape: 'bars',
  emphasis: SERIES,
  label: (x) => WAYS[x]?.label ?? '',
  ticks: ({ rounds }) => WAYS.length * (1 + rounds),
  measure: async (effort, tick) => {
    const points: Point[] = [];
    for (const [x, way] of WAYS.entries()) points.push(await measureWay(way, x, effort, tick));
    const bounds = WAYS.map(({ label, wanted }, x) => ({
      title: label,
      unit: 'ms',
      kind: 'at most' as const,
      wanted,
      measured: at(points, SERIES, x),
    }));
    return { points, bounds };
  },
};

async function measureWay(way: Way, x: number, { rounds }: CostEffort, tick: Tick): Promise<Point> {
  const { label, options, entries, was } = way;
  const { path: directory, remove } = memoryDirectory('bench-open-');
  const order: OpenOrder = { path: join(directory, 'cache'), options };
  const times: number[] = [];
  try {
    tick(`${label}, fill`);
    const first = SharedCache.open<string>(order.path, { ...options, sweep: false });
    for (let i = 0; i < entries; i++) first.put(`user:${String(i).padStart(8, '0')}:profile`, VALUE);
    const full = first.size;
    if (was !== 'in use') first.close();
    for (let round = 0; round < rounds; round++) {
      if (was === 'absent') SharedCache.remove(order.path);
      tick(label);
      const { ms, size, origin } = await openOnce(order);
      times.push(ms);
      if (size !== full || origin !== ORIGINS[was]) throw new Error(`${label}: ${origin}, ${size} entries of ${full}`);
    }
    if (was === 'in use') first.close();
  } finally {
    remove();
  }
  return { series: SERIES, x, y: spread(times), rounds: times };
}

/** In a process of its own, killed as soon as it has it: what is left is what a crash leaves. */
async function openOnce(order: OpenOrder): Promise<Opened> {
  const child = fork(fileURLToPath(new URL('open-once.js', import.meta.url)), [JSON.stringify(order)], {
    execArgv: [],
  });
  const ended = once(child, 'exit');
  const opened = (await messageOrEnd(child)) as Opened | undefined;
  child.kill('SIGKILL');
  await ended;
  if (opened === undefined) throw new Error('the process that opens ended by itself');
  return opened;
}
