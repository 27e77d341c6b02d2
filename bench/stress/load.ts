import { SharedCache, type SharedCacheHandle } from '../../src/index.js';
import { seededRandom } from '../workloads/random.js';
import { Ledger } from './ledger.js';
import type { StressOptions } from './options.js';
import { makeValue, versionOf } from './values.js';

/** What one load thread is told. */
export interface StressSeat {
  handle: SharedCacheHandle;
  ledger: SharedArrayBuffer;
  /** Words: stop flag, operations, failures, longest call in microseconds. */
  counts: SharedArrayBuffer;
  options: StressOptions;
  seat: number;
  seed: number;
  mayVanish: boolean;
}

export const COUNT = { stop: 0, operations: 1, failures: 2, longestUs: 3, words: 4 } as const;

const BATCH = 64;

/** Puts, gets and deletes until told to stop, checking every value against the ledger. */
export function runLoad(seat: StressSeat, onRunning: () => void): void {
  const { options, mayVanish } = seat;
  const cache = SharedCache.attach<string>(seat.handle);
  const ledger = new Ledger(options.keys, seat.ledger);
  const counts = new Int32Array(seat.counts);
  const random = seededRandom(seat.seed);
  const [gets, puts] = options.mix;
  onRunning();
  while (Atomics.load(counts, COUNT.stop) === 0) {
    for (let i = 0; i < BATCH; i++) {
      const choice = random() * 100;
      const start = performance.now();
      if (choice < gets) check(cache, ledger, Math.floor(random() * options.keys), mayVanish, counts);
      else write(cache, ledger, ownKey(random, seat), choice >= gets + puts, random, options);
      const tookUs = (performance.now() - start) * 1_000;
      if (tookUs > Atomics.load(counts, COUNT.longestUs)) Atomics.store(counts, COUNT.longestUs, tookUs);
    }
    Atomics.add(counts, COUNT.operations, BATCH);
  }
  cache.close();
}

/** Keys are dealt out to the seats in turn: a key has one writer. */
function ownKey(random: () => number, { options, seat }: StressSeat): number {
  const mine = Math.floor((options.keys - seat - 1) / options.threads) + 1;
  return seat + Math.floor(random() * mine) * options.threads;
}

function write(
  cache: SharedCache<string>,
  ledger: Ledger,
  key: number,
  deletes: boolean,
  random: () => number,
  options: StressOptions,
): void {
  const version = ledger.begin(key, deletes);
  const longest = options.valueBytes * (random() < 0.02 ? 10 : 1);
  if (deletes) cache.delete(String(key));
  else cache.put(String(key), makeValue(key, version, Math.floor(random() * longest)));
  ledger.acknowledge(key);
}

/** Reads a key and reports what the ledger cannot explain. */
export function check(
  cache: SharedCache<string>,
  ledger: Ledger,
  key: number,
  mayVanish: boolean,
  counts: Int32Array,
): void {
  const before = ledger.acknowledged(key);
  const value = cache.get(String(key));
  const version = value === undefined ? 0 : versionOf(key, value);
  const objection =
    version === undefined ? 'the value is torn or another key’s' : ledger.objection(key, before, version, mayVanish);
  if (objection === undefined) return;
  if (Atomics.add(counts, COUNT.failures, 1) < 10) console.error(`key ${key}: ${objection}`);
}
