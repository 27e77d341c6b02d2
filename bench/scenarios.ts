import type { ValueKind } from './adapters/adapter.js';
import type { Distribution } from './workloads/distribution.js';

const KEYS = 100_000;

export interface Scenario {
  /** Such as `str T2 95/5 fresh`, with P2 for two processes; unique. */
  readonly name: string;
  readonly kind: ValueKind;
  readonly threads: number;
  /** Each thread in a process of its own. */
  readonly processes: boolean;
  /** Share of writes, 0 to 1. */
  readonly writes: number;
  readonly distribution: Distribution;
  /** A new string for each operation, instead of the same again. */
  readonly freshKeys: boolean;
  readonly keys: number;
}

interface Variation {
  readonly distribution?: Distribution;
  readonly freshKeys?: boolean;
  readonly processes?: boolean;
}

function scenario(
  kind: ValueKind,
  threads: number,
  writes: number,
  { distribution = 'zipf', freshKeys = false, processes = false }: Variation = {},
): Scenario {
  const mix = writes === 0 ? 'get' : `${Math.round(100 - writes * 100)}/${Math.round(writes * 100)}`;
  const words = [kind, `${processes ? 'P' : 'T'}${threads}`, mix];
  if (distribution !== 'zipf') words.push(distribution);
  if (freshKeys) words.push('fresh');
  return { name: words.join(' '), kind, threads, processes, writes, distribution, freshKeys, keys: KEYS };
}

/** What `npm run bench` measures. */
export const QUICK: readonly Scenario[] = [
  scenario('str', 1, 0),
  scenario('str', 2, 0),
  scenario('str', 2, 0.05),
  scenario('str', 2, 0.05, { freshKeys: true }),
  scenario('str', 2, 0.5),
  scenario('json', 2, 0.05),
  scenario('buf', 2, 0.05),
  scenario('str', 2, 0.05, { processes: true }),
];

const KINDS: readonly ValueKind[] = ['str', 'json', 'buf'];
const WRITES = [0, 0.05, 0.5];
const THREADS = [1, 2, 4];

/** What `npm run bench:full` measures. */
export const FULL: readonly Scenario[] = [
  ...KINDS.flatMap((kind) => THREADS.flatMap((threads) => WRITES.map((writes) => scenario(kind, threads, writes)))),
  ...THREADS.flatMap((threads) => WRITES.map((writes) => scenario('str', threads, writes, { freshKeys: true }))),
  ...KINDS.flatMap((kind) => [
    scenario(kind, 2, 0.05, { distribution: 'uniform' }),
    scenario(kind, 2, 0.05, { distribution: 'scan' }),
  ]),
  ...WRITES.map((writes) => scenario('str', 2, writes, { processes: true })),
];
