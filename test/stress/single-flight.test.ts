/** Single flight over real threads: exactly one load per key, and at most one more per killed thread. */
import t from 'tap';
import { effort } from '../fixtures/effort.js';
import { type FlightResult, resultOf, startGated, startSeat } from '../fixtures/flight-team.js';
import { withCache } from '../fixtures/with-cache.js';

t.setTimeout(120_000);

const THREADS = 8;
const CALLERS = effort('CALLERS', 8, 50);
const KEYS = effort('KEYS', 300, 1_000);
const KILLS = effort('KILLS', 3, 48);

/** Waiting for a load does not keep a process alive; a test has to. */
function stayAlive(t: { teardown(end: () => void): void }): void {
  const timer = setInterval(() => {}, 1_000);
  t.teardown(() => clearInterval(timer));
}

const newRuns = (): Int32Array => new Int32Array(new SharedArrayBuffer(KEYS * 4));
const sum = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0);

async function load(
  t: Parameters<typeof withCache>[0],
  alone: boolean,
): Promise<{ runs: Int32Array; results: FlightResult[] }> {
  const cache = withCache(t);
  const runs = newRuns();
  const seats = Array.from({ length: THREADS }, (_, i) =>
    startSeat({ handle: cache.handle, runs, callers: alone ? 1 : CALLERS, sync: i % 4 === 3, alone }),
  );
  return { runs, results: await Promise.all(seats.map(resultOf)) };
}

t.test(`${THREADS} threads x ${CALLERS} callers x ${KEYS} keys`, async (t) => {
  const { runs, results } = await load(t, false);
  t.equal(sum(runs), KEYS, 'loader runs');
  t.equal(sum(results.map(({ wrong }) => wrong)), 0);
});

t.test('a waiting thread goes on turning its event loop', async (t) => {
  const cache = withCache<number>(t);
  const gate = new Int32Array(new SharedArrayBuffer(8));
  startGated(cache.handle, gate);
  Atomics.wait(gate, 0, 0);
  const value = cache.getOrSet('gated', () => -1);
  // The loader ends only after these turns: if waiting blocked the loop, this would never end.
  for (let turns = 0; turns < 1_000; turns++) await new Promise((resolve) => setImmediate(resolve));
  Atomics.store(gate, 1, 1);
  Atomics.notify(gate, 1);
  t.equal(await value, 9);
});

t.test('the thread that loads dies: one waiting caller takes over', async (t) => {
  stayAlive(t);
  const cache = withCache<number>(t);
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const loader = startGated(cache.handle, gate);
  Atomics.wait(gate, 0, 0);
  let loads = 0;
  const load = (): number => ++loads;
  const values = Promise.all([cache.getOrSet('gated', load), cache.getOrSet('gated', load)]);
  await loader.terminate();
  t.same(await values, [1, 1]);
  t.match(cache.getStats(), { takeovers: 1 });
});

t.test('timeoutMs: waited long enough, loads itself', async (t) => {
  stayAlive(t);
  const cache = withCache<number>(t);
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const loader = startGated(cache.handle, gate);
  Atomics.wait(gate, 0, 0);
  t.equal(await cache.getOrSet('gated', () => 5, { timeoutMs: '20ms' }), 5);
  await loader.terminate();
});

t.test('loading alone is noticed', async (t) => {
  const { runs } = await load(t, true);
  t.ok(sum(runs) > KEYS, `${sum(runs)} runs`);
});

t.test(`${KILLS} loading threads killed`, async (t) => {
  const cache = withCache(t);
  const runs = newRuns();
  const start = (): ReturnType<typeof startSeat> =>
    startSeat({ handle: cache.handle, runs, callers: 5, sync: false, alone: false });
  const patient: Promise<FlightResult>[] = [];
  let kills = 0;
  for (; kills < KILLS; kills++) {
    const victim = start();
    const before = sum(runs);
    const ended = new Promise((resolve) => victim.once('exit', resolve));
    let running = true;
    ended.then(() => {
      running = false;
    });
    // Into the middle of its loading, or until it found nothing left to load.
    while (running && sum(runs) === before) await new Promise((resolve) => setImmediate(resolve));
    await victim.terminate();
    // From the middle of the killing on, others wait for what the victims load.
    if (kills === KILLS >> 1) for (let i = 0; i < 3; i++) patient.push(resultOf(start()));
  }
  const results = await Promise.all(patient);
  t.equal(sum(results.map(({ wrong }) => wrong)), 0, 'every caller got its value');
  t.ok(runs.every((count) => count >= 1 && count <= 1 + kills));
  t.ok(sum(runs) > KEYS, `${sum(runs) - KEYS} loads repeated after ${kills} kills`);
});
