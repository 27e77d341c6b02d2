import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { SharedCache } from '../../src/cache.js';
import { effort } from '../fixtures/effort.js';
import { type FlipOrder, type FlipReport, flipKey, flipText, KEYS } from '../fixtures/flip.js';
import { engineFor } from '../fixtures/instrument.js';
import { ENGINE, SEED } from '../fixtures/kills.js';

/**
 * Writers flip values between ASCII, accented letters and emoji while readers get them. Decoding UTF-8 from memory that
 * changes can end the process on Node 20 and 22: it must live, and every value read must be one that was written whole.
 * `SECONDS=` sets how long.
 */
const SECONDS = effort('SECONDS', 0.5, 10);
const ROLES = ['writer', 'reader', 'reader', 'reader'] as const;

/** Of the control. */
const MOST_RACES = 24;

t.setTimeout(120_000 + SECONDS * 4_000);
t.comment(`SEED=${SEED}`);

async function race(engine: string, seconds: number): Promise<FlipReport> {
  const cache = new SharedCache<unknown>({ maxBytes: '1MB', shards: 1, sweep: false });
  for (let i = 0; i < KEYS; i++) cache.put(flipKey(i), flipText(flipKey(i), i));
  const over = new SharedArrayBuffer(4);
  const workers = ROLES.map((role, i) => {
    const workerData: FlipOrder = { engine, handle: cache.handle, role, over, seed: SEED + i };
    return new Worker(new URL('../fixtures/flip-thread.js', import.meta.url), { workerData, execArgv: [] });
  });
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const reports = workers.map(async (worker) => ((await once(worker, 'message')) as [FlipReport])[0]);
  // How long the race lasts; nobody waits for it to have reached anything.
  await delay(seconds * 1_000);
  Atomics.store(new Int32Array(over), 0, 1);
  const total: FlipReport = { reads: 0, mixed: 0, samples: [] };
  for (const { reads, mixed, samples } of await Promise.all(reports)) {
    total.reads += reads;
    total.mixed += mixed;
    total.samples.push(...samples);
  }
  t.same(cache.inspect().problems, []);
  cache.close();
  return total;
}

t.test(`${SECONDS} s of readers against a writer`, async (t) => {
  const { reads, mixed, samples } = await race(ENGINE, SECONDS);
  t.comment(`${reads} reads on Node ${process.version}`);
  t.ok(reads > 1_000);
  t.equal(mixed, 0);
  t.same(samples, []);
});

t.test('control: readers that believe what they read while it changed give mixed values', async (t) => {
  // Bytes are still copied before they are decoded, so the process lives.
  const { cache } = engineFor(t, {
    file: 'table/read.js',
    from: 'if (Atomics.load(m, SHARD.lock) !== version)',
    to: 'if (false)',
  });
  let found: FlipReport = { reads: 0, mixed: 0, samples: [] };
  // Some ten a race on a busy machine, so one is nearly always enough.
  for (let races = 0; races < MOST_RACES && found.mixed === 0; races++) found = await race(cache, 1);
  t.comment(`${found.mixed} of ${found.reads} reads were mixed`);
  t.not(found.mixed, 0);
});
