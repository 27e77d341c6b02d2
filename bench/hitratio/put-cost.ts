/**
 * What a put costs when each one evicts, against a put of a new key into a cache with room, policy by policy. Both are timed
 * in turn in every round, each round beginning with the other one; a ratio is one of two times of the same round.
 *
 *   node dist/bench/hitratio/put-cost.js [--entries=20000] [--rounds=15] [--policy a,b,c]
 *
 * A round puts `--entries` keys that are new: into a cache of four times that many that was cleared before (not timed), and
 * into a full one of that many. Prints the medians and the spread of the ratios, and writes them into bench/results when all
 * policies are measured.
 */
import { parseArgs } from 'node:util';
import { SharedCache } from '../../src/index.js';
import { EVICTION_NAMES, type EvictionName } from '../../src/policy/index.js';
import { circumstances, describeCircumstances } from '../report/circumstances.js';
import { writeResults } from '../report/results.js';
import { median, type Spread, spread } from '../stats.js';

const VALUE = 'x'.repeat(100);
const BYTES_PER_ENTRY = 1024;
const LEAST_BYTES = 64 * 1024 * 1024;
/** So that a full shard, however unevenly keys fall, is not met where there is to be room. */
const ROOM = 4;

interface PutCost {
  readonly policy: EvictionName;
  readonly roomNs: number;
  readonly evictingNs: number;
  /** Of the rounds' ratios. */
  readonly ratio: Spread;
}

/** ns a put. */
function timePuts(cache: SharedCache<string>, keys: readonly string[]): number {
  const start = performance.now();
  for (const key of keys) cache.put(key, VALUE);
  return ((performance.now() - start) * 1e6) / keys.length;
}

function measure(eviction: EvictionName, entries: number, rounds: number): PutCost {
  const maxBytes = Math.max(LEAST_BYTES, ROOM * entries * BYTES_PER_ENTRY);
  using roomy = new SharedCache<string>({ maxBytes, maxEntries: ROOM * entries, eviction, sweep: false });
  using full = new SharedCache<string>({ maxBytes, maxEntries: entries, eviction, sweep: false });
  const newKeys = (round: number): string[] => Array.from({ length: entries }, (_, i) => `user:${round}:${i}:profile`);
  // The first puts run before the code is compiled, and touch the memory for the first time.
  for (const cache of [roomy, full]) for (let round = -3; round < 0; round++) timePuts(cache, newKeys(round));
  const without: number[] = [];
  const evicting: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const keys = newKeys(round);
    roomy.clear();
    const evictedBefore = full.getStats().evictions;
    if (round % 2 === 0) without.push(timePuts(roomy, keys));
    evicting.push(timePuts(full, keys));
    if (round % 2 === 1) without.push(timePuts(roomy, keys));
    const evicted = full.getStats().evictions - evictedBefore;
    if (evicted < entries * 0.99 || roomy.size !== entries) throw new Error(`${evicted} of ${entries} puts evicted`);
  }
  const ratio = spread(evicting.map((ns, i) => ns / (without[i] as number)));
  const cost = { policy: eviction, roomNs: median(without), evictingNs: median(evicting), ratio };
  const cells = [cost.roomNs.toFixed(0), cost.evictingNs.toFixed(0), ratio.median.toFixed(2)];
  console.log(
    [eviction, ...cells].map((cell) => cell.padStart(10)).join(' '),
    ` ${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)}`,
  );
  return cost;
}

const { values: options } = parseArgs({
  options: {
    entries: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '15' },
    policy: { type: 'string', default: EVICTION_NAMES.join(',') },
  },
});
const command = ['node dist/bench/hitratio/put-cost.js', ...process.argv.slice(2)].join(' ');
const where = { ...circumstances('bench'), command };
console.log(describeCircumstances(where));
console.log('    policy   ns room  ns evict    ratio  spread');
const asked = options.policy.split(',') as EvictionName[];
const policies = asked.map((policy) => measure(policy, Number(options.entries), Number(options.rounds)));
// A table of some policies only would take the place of the one of all.
if (asked.length === EVICTION_NAMES.length) {
  const results = { ...where, policies };
  console.log(writeResults('put-cost', { json: `${JSON.stringify(results, null, 2)}\n` }).join());
}
