/**
 * What latency recording costs a cache at its default sampling: the same operations with and without a monitor.
 *
 *   node dist/bench/micro/monitor-cost.js
 */
import { SharedCache } from '../../src/index.js';
import { spread } from '../stats.js';

const KEYS = Array.from({ length: 1_000 }, (_, i) => `user:${i}:profile`);
/** Caches differ by where their memory lies, by more than a monitor costs: the median of several pairs counts. */
const PAIRS = 5;
const ROUNDS = 60;
const LOOPS = 5;

const operations = {
  get: (cache: SharedCache<string>, key: string) => cache.get(key),
  put: (cache: SharedCache<string>, key: string) => cache.put(key, key),
};

function filled(monitor: boolean): SharedCache<string> {
  const cache = new SharedCache<string>({ maxBytes: '16MB', sweep: false, monitor });
  for (const key of KEYS) cache.put(key, key);
  return cache;
}

/** How much longer an operation takes with a monitor, as a ratio. */
function comparePair(operation: (cache: SharedCache<string>, key: string) => unknown): number {
  const caches = { off: filled(false), on: filled(true) };
  const best = { off: Number.POSITIVE_INFINITY, on: Number.POSITIVE_INFINITY };
  // Alternating, and the best of each: whatever else the machine does slows some rounds only.
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of ['off', 'on'] as const) {
      const start = performance.now();
      for (let loop = 0; loop < LOOPS; loop++) for (const key of KEYS) operation(caches[kind], key);
      best[kind] = Math.min(best[kind], ((performance.now() - start) * 1e6) / (LOOPS * KEYS.length));
    }
  }
  for (const cache of Object.values(caches)) cache.close();
  return best.on / best.off;
}

for (const [name, operation] of Object.entries(operations)) {
  const { median, min, max } = spread(Array.from({ length: PAIRS }, () => comparePair(operation)));
  console.log(
    `${name}: with a monitor ${median.toFixed(3)} x the time without (${min.toFixed(3)} to ${max.toFixed(3)})`,
  );
}
