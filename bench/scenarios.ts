import type { ValueKind } from './adapters/adapter.js';
import type { Distribution } from './workloads/distribution.js';

const KEYS = 100_000;

export interface Scenario {
  /** Such as `str T2 95/5 fresh`; unique. */
  readonly name: string;
  readonly kind: ValueKind;
  readonly threads: number;
  /** Share of writes, 0 to 1. */
  readonly writes: number;
  readonly distribution: Distribution;
  /** A new string for each operation, instead of the same again. */
  readonly freshKeys: boolean;
  readonly keys: number;
}

function scenario(
  kind: ValueKind,
  threads: number,
  writes: number,
  distribution: Distribution = 'zipf',
  freshKeys = false,
): Scenario {
  const mix = writes === 0 ? 'get' : `${Math.round(100 - writes * 100)}/${Math.round(writes * 100)}`;
  const words = [kind, `T${threads}`, mix];
  if (distribution !== 'zipf') words.push(distribution);
  if (freshKeys) words.push('fresh');
  return { name: words.join(' '), kind, threads, writes, distribution, freshKeys, keys: KEYS };
}

/** What `npm run bench` measures. */
export const QUICK: readonly Scenario[] = [
  scenario('str', 1, 0),
  scenario('str', 2, 0),
  scenario('str', 2, 0.05),
  scenario('str', 2, 0.05, 'zipf', true),
  scenario('str', 2, 0.5),
  scenario('json', 2, 0.05),
  scenario('buf', 2, 0.05),
];

const KINDS: readonly ValueKind[] = ['str', 'json', 'buf'];
const WRITES = [0, 0.05, 0.5];
const THREADS = [1, 2, 4];

/** What `npm run bench:full` measures. */
export const FULL: readonly Scenario[] = [
  ...KINDS.flatMap((kind) => THREADS.flatMap((threads) => WRITES.map((writes) => scenario(kind, threads, writes)))),
  ...THREADS.flatMap((threads) => WRITES.map((writes) => scenario('str', threads, writes, 'zipf', true))),
  ...KINDS.flatMap((kind) => [scenario(kind, 2, 0.05, 'uniform'), scenario(kind, 2, 0.05, 'scan')]),
];
