import { setImmediate as turn } from 'node:timers/promises';
import type { AsyncStore, SyncStore } from '../adapters/adapter.js';
import { VARIANTS } from '../workloads/values.js';
import type { ThreadRound } from './load-api.js';

/** Operations between two looks at the clock; the last of them is timed alone. */
const SLICE = 128;
/** A thread lets its event loop turn this often, as a server does: some stores see others' writes only then. */
const TURN_EVERY_MS = 10;

/** What a thread works through. */
export interface Drive {
  readonly keyOf: (number: number) => string;
  readonly values: readonly unknown[];
  readonly operations: Uint32Array;
  /** Where in `operations` the thread goes on. */
  position: number;
}

export type Counts = Omit<ThreadRound, 'waitedMs'>;

export async function driveSync(store: SyncStore, drive: Drive, durationMs: number): Promise<Counts> {
  const { keyOf, values, operations } = drive;
  const mask = operations.length - 1;
  const latencies: number[] = [];
  let misses = 0;
  let done = 0;
  let at = drive.position;
  const operate = (): void => {
    const operation = operations[at++ & mask];
    const key = keyOf(operation >>> 1);
    if ((operation & 1) !== 0) store.set(key, values[at & (VARIANTS - 1)]);
    else if (store.get(key) === undefined) misses++;
  };
  const startedAt = performance.now();
  let now = startedAt;
  let turnedAt = startedAt;
  while (now - startedAt < durationMs) {
    for (let i = 1; i < SLICE; i++) operate();
    const before = performance.now();
    operate();
    now = performance.now();
    latencies.push((now - before) * 1000);
    done += SLICE;
    if (store.settle !== undefined) await store.settle(false);
    if (now - turnedAt < TURN_EVERY_MS) continue;
    await turn();
    turnedAt = now;
  }
  drive.position = at & mask;
  return { operations: done, elapsedMs: now - startedAt, misses, latenciesUs: Float64Array.from(latencies) };
}

export async function driveAsync(store: AsyncStore, drive: Drive, durationMs: number): Promise<Counts> {
  const { keyOf, values, operations } = drive;
  const mask = operations.length - 1;
  const latencies: number[] = [];
  let misses = 0;
  let done = 0;
  const startedAt = performance.now();
  const lane = async (): Promise<void> => {
    for (;;) {
      const at = drive.position++;
      const operation = operations[at & mask];
      const key = keyOf(operation >>> 1);
      const before = performance.now();
      if (before - startedAt >= durationMs) return;
      if ((operation & 1) !== 0) await store.set(key, values[at & (VARIANTS - 1)]);
      else if ((await store.get(key)) === undefined) misses++;
      if (done++ % SLICE === 0) latencies.push((performance.now() - before) * 1000);
    }
  };
  await Promise.all(Array.from({ length: store.inFlight }, lane));
  const elapsedMs = performance.now() - startedAt;
  return { operations: done, elapsedMs, misses, latenciesUs: Float64Array.from(latencies) };
}
