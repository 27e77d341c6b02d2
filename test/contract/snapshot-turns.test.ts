/**
 * A dump and a load leave the event loop its turns. What is counted is work, not time: how often they ask the clock whether a
 * turn is due, which they do every few entries, between one turn and the next.
 */
import t from 'tap';
import type { SharedCache as Cache } from '../../src/index.js';
import { type Bug, engineFor } from '../fixtures/instrument.js';
import { dumpFile } from '../fixtures/snapshots.js';

type Test = typeof t;

const ENTRIES = 300_000;
const looks = new Int32Array(1);
Object.assign(globalThis, { looksAtTheClock: looks });

/** A copy of the engine that counts its looks. */
async function engine(t: Pick<Test, 'teardown'>, bug?: Bug): Promise<typeof Cache> {
  const { entry } = engineFor(t, bug, (text, name) =>
    name === 'snapshot/pace.js' ? text.replace('isDue() {', 'isDue() { globalThis.looksAtTheClock[0]++;') : text,
  );
  return (await import(entry)).SharedCache;
}

/** The largest share of its work that this does without a turn of the event loop. */
async function largestShare(work: () => Promise<unknown>): Promise<number> {
  looks[0] = 0;
  let running = true;
  let last = 0;
  let most = 0;
  const turn = (): void => {
    most = Math.max(most, looks[0] - last);
    last = looks[0];
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  running = false;
  turn();
  return most / looks[0];
}

function filled(t: Pick<Test, 'teardown'>, SharedCache: typeof Cache): Cache<number> {
  const cache = new SharedCache<number>({ maxBytes: '128MB', sweep: false });
  t.teardown(() => cache.close());
  for (let i = 0; i < ENTRIES; i++) cache.put(`key ${i}`, i);
  return cache;
}

t.test('dump and load', async (t) => {
  const SharedCache = await engine(t);
  const file = dumpFile(t);
  const cache = filled(t, SharedCache);
  for (const name of [file, `${file}.gz`]) {
    const dumping = await largestShare(() => cache.dump(name));
    t.ok(dumping < 1 / 3, `a dump: ${dumping} of it`);
    const to = new SharedCache<number>({ maxBytes: '128MB', sweep: false });
    t.teardown(() => to.close());
    const loading = await largestShare(() => to.load(name));
    t.ok(loading < 1 / 3, `a load: ${loading} of it`);
    t.equal(to.size, cache.size);
  }
  const nothing = await largestShare(() => cache.namespace('empty').dump(file));
  t.ok(nothing < 1 / 3, `a dump that writes nothing: ${nothing} of it`);
});

t.test('control: without turns of its own a dump that writes nothing has none', async (t) => {
  const bug = { file: 'snapshot/pace.js', from: 'const SLICE_MS = 8;', to: 'const SLICE_MS = Infinity;' };
  const cache = filled(t, await engine(t, bug));
  const share = await largestShare(() => cache.namespace('empty').dump(dumpFile(t)));
  t.ok(share > 2 / 3, `${share} of it at one time`);
});
