/**
 * SharedCache against a Map, by random commands. The cache is large enough never to evict; entries live for ever or not at
 * all, so time plays no part. Prints its seed; SEED= and RUNS= set it and the number of runs. `BUG=forget-deletes` plants a
 * bug in the model's partner, and the test must fail.
 */
import fc from 'fast-check';
import t from 'tap';
import { SharedCache } from '../../src/index.js';
import { effort } from '../fixtures/effort.js';
import { commands, Model, type Value } from '../fixtures/model.js';

const RUNS = effort('RUNS', 500, 5_000);
const MAX_COMMANDS = 200;
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`# SEED=${seed}, ${RUNS} runs of up to ${MAX_COMMANDS} commands`);

t.setTimeout(120_000);

t.test('a cache and a Map do the same', (t) => {
  // A short index, since every run walks all of it more than once.
  const options = { maxBytes: '4MB', shards: 4, averageEntryBytes: 4_096, ttl: Number.POSITIVE_INFINITY, sweep: false };
  const cache = new SharedCache<Value>(options);
  const second = SharedCache.attach<Value>(cache.handle);
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: MAX_COMMANDS, size: 'max' }), (sequence) => {
      cache.clear();
      const { hits, misses, left } = cache.getStats();
      fc.modelRun(() => ({ model: new Model(), real: { cache, second, hits, misses, left } }), sequence);
      const { problems } = cache.inspect();
      if (problems.length > 0) throw new Error(problems.join('\n'));
    }),
    { numRuns: RUNS, seed },
  );
  t.equal(cache.getStats().evictions, 0);
  second.close();
  cache.close();
  t.end();
});
