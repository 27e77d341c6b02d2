/**
 * SharedCache against a Map, by random commands. The cache is large enough never to evict; entries live for ever or not at
 * all, so time plays no part. Prints its seed; SEED= and RUNS= set it and the number of runs. `BUG=forget-deletes` plants a
 * bug in the model's partner, and the test must fail.
 */
import fc from 'fast-check';
import { SharedCache } from 'mooncake-cache';
import t from 'tap';
import { effort } from '../fixtures/effort.js';
import { commands, Model, type Value } from '../fixtures/model.js';

const RUNS = effort('RUNS', 250, 3_000);
const MAX_COMMANDS = 200;
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`# SEED=${seed}, ${RUNS} runs of up to ${MAX_COMMANDS} commands`);

t.setTimeout(120_000);

/** Runs the commands on one cache, which is emptied between two runs; how many entries it evicted. */
function compare(frozen: boolean, runs: number): number {
  // A short index, since every run walks all of it more than once.
  const index = { maxBytes: '4MB', shards: 4, averageEntryBytes: 4_096 };
  const cache = new SharedCache<Value>({ ...index, ttl: Number.POSITIVE_INFINITY, sweep: false, frozen });
  const second = SharedCache.attach<Value>(cache.handle);
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: MAX_COMMANDS, size: 'max' }), (sequence) => {
      cache.clear();
      const { hits, misses, left } = cache.getStats();
      fc.modelRun(() => ({ model: new Model(), real: { cache, second, hits, misses, left } }), sequence);
      const { problems } = cache.inspect();
      if (problems.length > 0) throw new Error(problems.join('\n'));
    }),
    { numRuns: runs, seed },
  );
  const { evictions } = cache.getStats();
  second.close();
  cache.close();
  return evictions;
}

t.test('a cache and a Map do the same', async (t) => {
  t.equal(compare(false, RUNS), 0);
});

t.test('so does a cache of frozen values', async (t) => {
  t.equal(compare(true, Math.ceil(RUNS / 5)), 0);
});
