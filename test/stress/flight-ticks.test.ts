/** Threads that wait in getOrSet go on turning their event loops; in getOrSetSync they do not. */
import t from 'tap';
import { startTicking, ticksOf } from '../fixtures/tick-team.js';
import { withCache } from '../fixtures/with-cache.js';

const THREADS = 4;
/** The load ends only after so many turns of every thread that waits: had one stopped, it would never end. */
const TURNS = 500;

t.test(`${THREADS} threads wait, and each turns ${TURNS} times`, async (t) => {
  const cache = withCache<string>(t);
  const ticks = new Int32Array(new SharedArrayBuffer(4 * (THREADS + 1)));
  const gated = cache.getOrSet('gated', async () => {
    while (ticks.subarray(0, THREADS).some((turns) => turns < TURNS)) await new Promise((go) => setImmediate(go));
    // The control: this one waits in getOrSetSync.
    while (cache.getStats().waits <= THREADS) await new Promise((go) => setImmediate(go));
    return 'loaded';
  });
  const workers = Array.from({ length: THREADS + 1 }, (_, i) => startTicking(cache.handle, ticks, i, i === THREADS));
  const results = await Promise.all(workers.map(ticksOf));
  t.equal(await gated, 'loaded');
  t.ok(results.every(({ value }) => value === 'loaded'));
  t.ok(results.slice(0, THREADS).every(({ turns }) => turns >= TURNS));
  t.equal(results[THREADS].turns, 0, 'blocked: the counting itself would notice');
});
