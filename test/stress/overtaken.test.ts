/**
 * No read that begins after an invalidation has returned shows older data, however loads and invalidations meet: with
 * getOrSet, its sync form, staleTtl, refreshAhead and grace. The control switches the check of overtaken loads off.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { type Findings, type Job, KEYS } from '../fixtures/database.js';
import { effort } from '../fixtures/effort.js';
import { engineFor } from '../fixtures/instrument.js';
import { untilFound } from '../fixtures/until-found.js';
import { withCache } from '../fixtures/with-cache.js';

const ENGINE = import.meta.resolve('mooncake-cache');
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const READS = effort('READS', 5_000, 40_000);
t.setTimeout(280_000);
t.comment(`SEED=${seed}`);

async function play(test: typeof t, engine: string, reads: number): Promise<Findings> {
  const cache = withCache<number>(test, { maxBytes: '8MB' });
  const words = new SharedArrayBuffer((2 * KEYS + 1) * 4);
  const start = (role: Job['role'], i: number): Worker =>
    new Worker(new URL('../fixtures/database-team.js', import.meta.url), {
      execArgv: [],
      workerData: { engine, handle: cache.handle, words, seed: seed + i, reads, role } satisfies Job,
    });
  const writers = [0, 1].map((i) => start('writer', i));
  const readers = [2, 3].map((i) => start('reader', i));
  const ends = [...writers, ...readers].map((worker) => once(worker, 'exit'));
  const found = (await Promise.all(readers.map(async (reader) => (await once(reader, 'message'))[0]))) as Findings[];
  Atomics.store(new Int32Array(words), 2 * KEYS, 1);
  await Promise.all(ends);
  return {
    reads: found.reduce((sum, { reads }) => sum + reads, 0),
    loads: found.reduce((sum, { loads }) => sum + loads, 0),
    stale: found.flatMap(({ stale }) => stale),
  };
}

t.test('no read is older than an invalidation that returned before it', async (t) => {
  const { reads, loads, stale } = await play(t as never, ENGINE, READS);
  t.comment(`${reads} reads, ${loads} loads`);
  t.same(stale, []);
  t.ok(loads > 100);
});

t.test('without the check of overtaken loads, older data is found', async (t) => {
  const { entry } = engineFor(t, {
    file: 'flight/leases.js',
    from: "if (claim.kind === 'full')\n            return false;",
    to: 'return true;',
  });
  t.not(await untilFound(async () => (await play(t as never, entry, READS)).stale.length), 0);
});
