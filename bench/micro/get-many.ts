/**
 * getMany of 64 keys against 64 gets, at several numbers of entries of 100 characters, uniform over all keys and Zipf. Both ways
 * take turns; a ratio is one of two times of the same round.
 *
 *   node dist/bench/micro/get-many.js [--rounds=25]
 */
import { parseArgs } from 'node:util';
import { wholeOption } from '../cli.js';
import { createCache } from '../costs/caches.js';
import { circumstances, describeCircumstances } from '../report/circumstances.js';
import { table } from '../report/tables.js';
import { spread } from '../stats.js';
import { cachedKeys } from '../workloads/keys.js';
import { drawOperations } from '../workloads/operations.js';
import { makeValues, VARIANTS } from '../workloads/values.js';

const CASES = [
  { entries: 1_000_000, distribution: 'uniform' },
  { entries: 1_000_000, distribution: 'zipf' },
  { entries: 100_000, distribution: 'uniform' },
  { entries: 1_000, distribution: 'zipf' },
] as const;
const BATCH = 64;
const BATCHES = 300;
const VALUE_BYTES = 100;
const SEED = 1;

const { values: flags } = parseArgs({ options: { rounds: { type: 'string', default: '25' } } });
const rounds = wholeOption('rounds', flags.rounds, { min: 1, max: 1000 });

/** ns a key that `read` takes for each of the batches, as the processor's clock saw it. */
function measure(batches: readonly (readonly string[])[], read: (batch: readonly string[]) => void): number {
  const before = process.cpuUsage();
  for (const batch of batches) read(batch);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / batches.length / BATCH;
}

const rows = CASES.map(({ entries, distribution }) => {
  using cache = createCache<string>(entries, VALUE_BYTES, {});
  const keys = cachedKeys(entries);
  const strings = makeValues('str', VALUE_BYTES, SEED) as readonly string[];
  for (const [i, key] of keys.entries()) cache.put(key, strings[i % VARIANTS] as string);
  const operations = drawOperations({ distribution, keys: entries, writes: 0, seed: SEED });
  let next = 0;
  const draw = (): string => keys[(operations[next++ & (operations.length - 1)] as number) >>> 1] as string;
  const gets: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const batches = Array.from({ length: 2 * BATCHES }, () => Array.from({ length: BATCH }, draw));
    const one = measure(batches.slice(0, BATCHES), (batch) => batch.map((key) => cache.get(key)));
    const many = measure(batches.slice(BATCHES), (batch) => cache.getMany(batch));
    gets.push(one);
    ratios.push(one / many);
  }
  const { median, min, max } = spread(ratios);
  return [
    `${entries.toLocaleString('en')} ${distribution}`,
    spread(gets).median.toFixed(0),
    ...[median, min, max].map((each) => each.toFixed(2)),
  ];
});
console.log(`${describeCircumstances(circumstances('bench:micro'))}\n`);
console.log(table(['entries', 'ns a get', 'getMany is x times as fast', 'min', 'max'], rows));
