import { appendFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { SharedCache as Cache } from '../../src/index.js';
import { ONLY_LONG } from '../fixtures/effort.js';
import { engineFor } from '../fixtures/instrument.js';
import { ENGINE } from '../fixtures/kills.js';
import { STALE_READS } from '../fixtures/linearizability.js';
import { untilFound } from '../fixtures/until-found.js';
import { holding, type VersionWriter, versionIn } from '../fixtures/version-writer.js';

/**
 * Values a thread keeps near must never be older than what another thread was told is stored, nor may what the thread wrote
 * itself outlive what another has put since.
 */
const VERSIONS = 20_000;
const KEYS = ['a', 'b', 'c', 'd'];
/** The reader itself writes once in so many rounds, a number below zero. */
const WRITE_EVERY = 3;

/** Reads while another thread writes; how many gets gave less than what had been acknowledged before they began. */
async function countStale(engine: string, inObjects = false): Promise<{ stale: number; reads: number }> {
  const { SharedCache } = (await import(engine)) as { SharedCache: typeof Cache };
  const cache = new SharedCache<unknown>({ maxBytes: '4MB', ttl: Number.POSITIVE_INFINITY, sweep: false });
  const acknowledged = new SharedArrayBuffer(KEYS.length * 4);
  const told = new Int32Array(acknowledged);
  const workerData: VersionWriter = {
    engine,
    handle: cache.handle,
    keys: KEYS,
    versions: VERSIONS,
    acknowledged,
    inObjects,
  };
  const worker = new Worker(new URL('../fixtures/near-writer.js', import.meta.url), { workerData, execArgv: [] });
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  let stale = 0;
  let reads = 0;
  let own = 0;
  while (told[KEYS.length - 1] < VERSIONS) {
    for (const [i, key] of KEYS.entries()) {
      const before = Atomics.load(told, i);
      const value = versionIn(cache.get(key));
      // Absent for a moment, when the writer deletes before it puts again.
      if (value !== undefined && value >= 0 && value < before) stale++;
      reads++;
      if (reads % WRITE_EVERY !== 0) continue;
      own--;
      cache.put(key, holding(own, inObjects));
      // Once the table has the writer's value, nobody puts the own one back.
      const inTable = versionIn(cache.peek(key));
      if (versionIn(cache.get(key)) === own && inTable !== own) stale++;
    }
  }
  await ended;
  for (const key of KEYS) if (versionIn(cache.get(key)) !== versionIn(cache.peek(key))) stale++;
  cache.close();
  return { stale, reads };
}

for (const inObjects of [false, true]) {
  t.test(`${inObjects ? 'an object' : 'a value'} kept near is never older than an acknowledged write`, async (t) => {
    const { stale, reads } = await countStale(ENGINE, inObjects);
    t.comment(`${reads} reads`);
    t.equal(stale, 0);
  });
}

t.test(
  'a count of changes that is looked at after the lock was given back lets stale values stay',
  ONLY_LONG,
  async (t) => {
    const { cache } = engineFor(t, {
      file: 'keyspace.js',
      from: 'session.near.wrote(key, shard, this.space.id, session.reading, value)',
      // A moment later, so that the two threads surely meet there.
      to: 'if (Atomics.wait(PAUSE, 0, 0, 0.05)) { session.reading.changes = shard.memory.changesOf(session.reading.hash); session.near.wrote(key, shard, this.space.id, session.reading, value); }',
    });
    appendFileSync(
      fileURLToPath(new URL('keyspace.js', cache)),
      'const PAUSE = new Int32Array(new SharedArrayBuffer(4));',
    );
    t.not(await untilFound(async () => (await countStale(cache)).stale), 0);
  },
);

t.test('without the count of changes, stale values are found out', async (t) => {
  const { cache } = engineFor(t, STALE_READS);
  t.not(await untilFound(async () => (await countStale(cache)).stale), 0);
  t.not(await untilFound(async () => (await countStale(cache, true)).stale), 0);
});
