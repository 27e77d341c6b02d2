import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { LeaveEvent, ListenOptions, SharedCache } from '../../src/index.js';
import { withCache } from '../fixtures/with-cache.js';

/** Listens, and waits until so many events and losses have come. */
function listenTo(
  cache: SharedCache<unknown>,
  options?: ListenOptions,
): { told: string[]; lost: () => number; until(count: number): Promise<void>; end(): void } {
  const told: string[] = [];
  let lost = 0;
  let waiting: { count: number; resolve(): void } | undefined;
  const end = cache.onLeave((events, missing) => {
    told.push(...events.map(textOf));
    lost += missing;
    if (waiting !== undefined && told.length + lost >= waiting.count) waiting.resolve();
  }, options);
  const until = (count: number): Promise<void> =>
    new Promise((resolve) => {
      // Holds the process: a listener does not.
      const hold = setInterval(() => {}, 1_000);
      waiting = {
        count,
        resolve() {
          clearInterval(hold);
          resolve();
        },
      };
      if (told.length + lost >= count) waiting.resolve();
    });
  return { told, lost: () => lost, until, end };
}

const textOf = ({ key, cause, namespace }: LeaveEvent): string =>
  `${namespace === undefined ? '' : `${namespace}:`}${key.length > 20 ? key.length : key} ${cause}`;

t.test('each cause', async (t) => {
  let now = 0;
  const cache = withCache<unknown>(t, { now: () => now, maxEntries: 4, shards: 1, eviction: 'fifo' });
  const listener = listenTo(cache);
  const n = cache.namespace('n');
  cache.put('a', 1);
  cache.put('a', 2);
  cache.put('a', Buffer.alloc(5_000));
  cache.update('a', () => 5);
  cache.increment('a');
  cache.touch('a', 50);
  cache.put('a', 1, { ttl: 0 });
  cache.put('a', 1);
  cache.put('a', Buffer.alloc(5_000_000));
  cache.put('b', 1);
  cache.delete('b');
  cache.put('b', 1);
  cache.take('b');
  cache.put('c', 1, { ttl: 10 });
  now = 10;
  cache.put('c', 1, { ttl: 10 });
  now = 20;
  cache.cleanupExpired();
  cache.put('d', 1, { tags: ['t'] });
  cache.invalidateTags('t');
  cache.put('d', 1);
  n.put('e', 1);
  n.clear();
  n.get('e');
  cache.put('k'.repeat(60_000), 1);
  cache.delete('k'.repeat(60_000));
  for (let i = 0; i < 5; i++) cache.put(`f${i}`, 1);
  cache.clear();
  const expected = [
    ...['a replaced', 'a replaced', 'a replaced', 'a replaced', 'a refused', 'b deleted', 'b deleted'],
    ...['c expired', 'c expired', 'd invalidated', 'n:e cleared', '60000 deleted', 'd evicted', 'f0 evicted'],
  ];
  await listener.until(expected.length + 4);
  // A key of 60,000 bytes is longer than the ring keeps.
  const kept = expected.filter((event) => !event.startsWith('60000') || listener.lost() === 0);
  t.same(listener.told.slice(0, kept.length), kept);
  t.same(listener.told.slice(kept.length).sort(), ['f1 cleared', 'f2 cleared', 'f3 cleared', 'f4 cleared']);
  t.same(cache.getStats().left, {
    replaced: 4,
    refused: 1,
    deleted: 3,
    expired: 2,
    invalidated: 1,
    cleared: 5,
    evicted: 2,
  });
  listener.end();
});

t.test('only the causes asked for, and nothing after the end', async (t) => {
  const cache = withCache<unknown>(t);
  const all = listenTo(cache);
  const some = listenTo(cache, { causes: ['deleted'] });
  cache.put('a', 1);
  cache.put('a', 2);
  cache.delete('a');
  await Promise.all([all.until(2), some.until(1)]);
  t.same(all.told, ['a replaced', 'a deleted']);
  t.same(some.told, ['a deleted']);
  all.end();
  all.end();
  cache.put('b', 1);
  cache.delete('b');
  await some.until(2);
  t.same(all.told.length, 2);
  some.end();
});

t.test('what is too much is counted as lost', async (t) => {
  const cache = withCache<unknown>(t, { maxBytes: '1MB' });
  const listener = listenTo(cache, { capacity: 10 });
  for (let i = 0; i < 50_000; i++) {
    cache.put('k', i);
    cache.delete('k');
  }
  await listener.until(50_000);
  t.equal(listener.told.length, 10);
  t.equal(listener.told.length + listener.lost(), 50_000);
  listener.end();
});

t.test('4,096 events of one turn are all kept in a cache of the usual size', async (t) => {
  const cache = withCache<unknown>(t, { maxBytes: '64MB' });
  const listener = listenTo(cache);
  for (let i = 0; i < 4_096; i++) cache.put(`key ${i}`, i);
  for (let i = 0; i < 4_096; i++) cache.delete(`key ${i}`);
  await listener.until(4_096);
  t.equal(listener.lost(), 0);
  t.equal(new Set(listener.told).size, 4_096);
  listener.end();
});

t.test('what a listener was too slow for takes no memory', async (t) => {
  const cache = withCache<unknown>(t, { maxBytes: '512MB', sweep: false });
  const listening = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.library).then(({ SharedCache }) => {
      const cache = SharedCache.attach(workerData.handle);
      const gate = new Int32Array(workerData.gate);
      let [told, lost] = [0, 0];
      const end = cache.onLeave((events, missing) => {
        told += events.length;
        lost += missing;
        if (told + lost < workerData.count) return;
        end();
        parentPort.postMessage({ told, lost });
        cache.close();
        clearInterval(hold);
      }, { capacity: 100 });
      const hold = setInterval(() => {}, 1_000);
      parentPort.postMessage('listening');
      Atomics.wait(gate, 0, 0);
    });`;
  const gate = new Int32Array(new SharedArrayBuffer(4));
  // As many as the rings hold, roughly: as objects they take several times the worker's memory.
  const count = 100_000;
  const library = new URL('../../src/index.js', import.meta.url).href;
  const worker = new Worker(listening, {
    eval: true,
    execArgv: [],
    workerData: { library, handle: cache.handle, gate: gate.buffer, count },
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
  });
  await once(worker, 'message');
  for (let i = 0; i < count; i++) {
    cache.put(`${i}`, i);
    cache.delete(`${i}`);
  }
  const ended = Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  const [[{ told, lost }]] = (await ended) as [[{ told: number; lost: number }], unknown];
  t.equal(told, 100);
  t.equal(told + lost, count);
});

t.test('another thread’s doing is told, in order for each key', async (t) => {
  const cache = withCache<unknown>(t, { maxBytes: '64MB' });
  const listener = listenTo(cache);
  const rounds = 200;
  const worker = new Worker(new URL('../fixtures/leaver.js', import.meta.url), {
    execArgv: [],
    workerData: { handle: cache.handle, rounds },
  });
  await Promise.all([listener.until(rounds * 3), once(worker, 'exit')]);
  t.same(listener.told, Array.from({ length: rounds }, () => ['k replaced', 'k replaced', 'k deleted']).flat());
  listener.end();
});

t.test('a listener that throws is an uncaught exception, and hears on', async (t) => {
  const cache = withCache<unknown>(t);
  const problems: unknown[] = [];
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => problems.push(error));
  t.teardown(() => {
    process.removeAllListeners('uncaughtException');
    for (const listener of others) process.on('uncaughtException', listener);
  });
  const second = listenTo(cache);
  let heard = 0;
  cache.onLeave((events) => {
    heard += events.length;
    throw new Error('mine');
  });
  for (const count of [1, 2]) {
    cache.put('k', 1);
    cache.delete('k');
    await second.until(count);
    while (heard < count) await new Promise((resolve) => setImmediate(resolve));
  }
  t.ok(problems.every((problem) => (problem as Error).message === 'mine'));
  t.equal(problems.length, 2);
  second.end();
});

t.test('options that make no sense', (t) => {
  const cache = withCache<unknown>(t);
  t.throws(() => cache.onLeave(5 as never), { code: 'ERR_INVALID_ARGUMENT' });
  for (const options of [
    { causes: ['gone'] },
    { causes: 'deleted' },
    { capacity: 0 },
    { capacity: 1.5 },
    { capacity: '5' },
    { cause: ['deleted'] },
    null,
    5,
  ])
    t.throws(() => cache.onLeave(() => {}, options as never), { code: 'ERR_INVALID_OPTION' });
  t.end();
});
