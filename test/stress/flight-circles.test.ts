/** Loaders on different threads that wait for each other's keys: a typed error or, by a blocked thread, a value; never a hang. */
import t from 'tap';
import type { SharedCache } from '../../src/index.js';
import { type CircleResult, runCircle, type Way } from '../fixtures/circle-team.js';
import { effort } from '../fixtures/effort.js';
import { withCache } from '../fixtures/with-cache.js';

t.setTimeout(120_000);

const ROUNDS = effort('ROUNDS', 1, 6);
const CIRCLES: Way[][] = [
  ['async', 'async'],
  ['sync', 'sync'],
  ['sync', 'async'],
  ['nested', 'async'],
  ['nested', 'nested'],
  ['nested', 'sync'],
  ['twice', 'twice'],
  ['async', 'async', 'async'],
  ['async', 'sync', 'async'],
  ['sync', 'nested', 'twice'],
  ['nested', 'async', 'nested', 'sync', 'twice'],
];

/** Lets all threads of the circle finish: 'slow' is loading here until the first of them has its result. */
async function play(cache: SharedCache<number>, ways: Way[]): Promise<CircleResult[]> {
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow = cache.getOrSet('slow', async () => {
    await gate;
    return 0;
  });
  const words = new Int32Array(new SharedArrayBuffer(8));
  const results = await runCircle({ handle: cache.handle, ways, words }, release);
  release();
  await slow;
  return results;
}

for (const ways of CIRCLES) {
  t.test(ways.join(' -> '), async (t) => {
    for (let round = 0; round < ROUNDS; round++) {
      const cache = withCache<number>(t);
      const results = await play(cache, ways);
      const errors = results.filter((result) => typeof result === 'string');
      // A blocked thread that the others need computes what it waits for. Where it sees that before another has closed the
      // circle, as on a loaded machine, there is none.
      t.ok(errors.length > 0 || ways.includes('sync'), `${results}`);
      t.ok(
        errors.every((error) => error === 'ERR_RECURSIVE_LOAD'),
        'no other error',
      );
      for (const [index] of ways.entries()) {
        t.type(await cache.getOrSet(`key ${index}`, () => -1), 'number', 'nobody holds the key any more');
      }
    }
  });
}

t.test('without looking for circles only the signal ends the wait', async (t) => {
  const cache = withCache<number>(t);
  const words = new Int32Array(new SharedArrayBuffer(8));
  words[1] = 1;
  const results = await runCircle({ handle: cache.handle, ways: ['nested', 'async'], words, giveUpMs: 1_000 });
  t.ok(results.includes('TimeoutError'), `${results}`);
  t.notOk(results.includes('ERR_RECURSIVE_LOAD'));
});
