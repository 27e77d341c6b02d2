import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { SharedCache as Cache } from '../../src/index.js';
import { effort } from '../fixtures/effort.js';
import type { Versioned } from '../fixtures/frozen-writer.js';
import { engineFor, type Teardown } from '../fixtures/instrument.js';
import { ENGINE } from '../fixtures/kills.js';
import { untilFound } from '../fixtures/until-found.js';
import type { VersionWriter } from '../fixtures/version-writer.js';

/**
 * A frozen object that a thread keeps near must never be older than what another thread was told is stored, and must be whole.
 */
const KEYS = ['a', 'b', 'c', 'd'];
const ROUNDS = effort('ROUNDS', 20_000, 200_000);

/** Reads while another thread writes: gets that gave less than had been acknowledged before, a mixture, or what can be changed. */
async function countWrong(engine: string): Promise<{ wrong: number; reads: number; same: number }> {
  const { SharedCache } = (await import(engine)) as { SharedCache: typeof Cache };
  const cache = new SharedCache<Versioned>({ maxBytes: '4MB', frozen: true, sweep: false });
  const acknowledged = new SharedArrayBuffer(KEYS.length * 4);
  const told = new Int32Array(acknowledged);
  const versions = ROUNDS / KEYS.length;
  const workerData: VersionWriter = { engine, handle: cache.handle, keys: KEYS, versions, acknowledged };
  const worker = new Worker(new URL('../fixtures/frozen-writer.js', import.meta.url), { workerData, execArgv: [] });
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  const last: (Versioned | undefined)[] = [];
  let wrong = 0;
  let reads = 0;
  let same = 0;
  while (told[KEYS.length - 1] < versions) {
    for (const [i, key] of KEYS.entries()) {
      const before = Atomics.load(told, i);
      const value = reads % 3 === 0 ? cache.peek(key) : cache.get(key);
      reads++;
      // Absent for a moment, when the writer deletes before it puts again.
      if (value === undefined) continue;
      if (value.version < before || !isWhole(value)) wrong++;
      if (value === last[i]) same++;
      last[i] = value;
    }
  }
  await ended;
  for (const key of KEYS) {
    if (cache.get(key)?.version !== versions || cache.get(key) !== cache.peek(key)) wrong++;
  }
  cache.close();
  return { wrong, reads, same };
}

function isWhole(value: Versioned): boolean {
  const { version, parts, nested } = value;
  const objects = [value, parts, parts[0], parts[1], nested, nested.deeper];
  const versions = [parts[0]?.version, parts[1]?.version, nested.deeper.version];
  return objects.every((object) => Object.isFrozen(object)) && versions.every((each) => each === version);
}

async function wrongWithBug(t: Teardown, from: string): Promise<number> {
  const { cache } = engineFor(t, { file: 'table/near-objects.js', from, to: 'false' });
  return await untilFound(async () => (await countWrong(cache)).wrong);
}

t.test('an object kept near is never older than an acknowledged write', async (t) => {
  const { wrong, reads, same } = await countWrong(ENGINE);
  t.comment(`${reads} reads, of which ${same} gave the same object again`);
  t.equal(wrong, 0);
});

t.test('without the count of changes, stale objects are found out', async (t) => {
  t.not(await wrongWithBug(t, 'shard.memory.changesOf(hash) !== w[at + PLACE.changes]'), 0);
});

t.test('without the versions, stale objects are found out', async (t) => {
  t.not(await wrongWithBug(t, 'this.#doubles[((place << PLACE_SHIFT) + PLACE.version) >> 1] !== reading.version'), 0);
});
