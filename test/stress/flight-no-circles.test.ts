/** What looks like loaders waiting for each other, and must come to an end without an error. */
import t from 'tap';
import { WAIT_COUNT } from '../../src/memory/layout.js';
import { resultOf, startBlocked } from '../fixtures/blocked-team.js';
import { withCache } from '../fixtures/with-cache.js';

const newWords = (): Int32Array => new Int32Array(new SharedArrayBuffer(4));

interface Gate {
  opened: Promise<void>;
  open(): void;
}

function newGate(): Gate {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

t.test('a thread that blocks for a load that needs its own event loop computes for itself', async (t) => {
  const cache = withCache<string>(t);
  const words = newWords();
  const blocks = startBlocked('blocks', cache.handle, words);
  // Whoever blocks has begun its load of a before the other asks for it.
  while (Atomics.load(words, 0) === 0) await new Promise((resolve) => setImmediate(resolve));
  const asks = startBlocked('asks', cache.handle, words);
  t.same(await Promise.all([resultOf(blocks), resultOf(asks)]), ['b of who blocksa', 'b with a']);
});

t.test('the waits of a thread that died are none', async (t) => {
  const hold = setInterval(() => {}, 1_000);
  t.teardown(() => clearInterval(hold));
  const cache = withCache<string>(t);
  const words = newWords();
  const gate = newGate();
  const b = cache.getOrSet('b', async () => {
    await gate.opened;
    return `b with ${await cache.getOrSet('a', () => 'a')}`;
  });
  const dies = startBlocked('dies', cache.handle, words);
  while (Atomics.load(words, 0) === 0) await new Promise((resolve) => setImmediate(resolve));
  await dies.terminate();
  gate.open();
  t.equal(await b, 'b with a');
});

t.test('a wait that is over does not close a circle', async (t) => {
  const cache = withCache<string>(t);
  const gate = newGate();
  const asked = newGate();
  const a = cache.getOrSet('a', async () => {
    await Promise.all([cache.getOrSet('b', () => 'first b'), cache.getOrSet('b', () => 'first b')]);
    cache.delete('b');
    asked.open();
    await gate.opened;
    return 'a';
  });
  await asked.opened;
  const b = cache.getOrSet('b', async () => `b with ${await cache.getOrSet('a', () => 'other a')}`);
  gate.open();
  t.equal(await a, 'a');
  t.equal(await b, 'b with a');
});

t.test('what a loader leaves behind is no longer part of it', async (t) => {
  const cache = withCache<string>(t);
  const gate = newGate();
  let left = Promise.resolve('');
  await cache.getOrSet('a', () => {
    left = cache.getOrSet('b', async () => {
      await gate.opened;
      cache.delete('a');
      return `b with ${await cache.getOrSet('a', () => 'second a')}`;
    });
    return 'a';
  });
  gate.open();
  t.equal(await left, 'b with second a');
});

t.test('an aborted wait is over', async (t) => {
  const cache = withCache<string>(t);
  const gate = newGate();
  const asked = newGate();
  const abort = new AbortController();
  const b = cache.getOrSet('b', async () => {
    await gate.opened;
    return `b with ${await cache.getOrSet('a', () => 'other a')}`;
  });
  const a = cache.getOrSet('a', async () => {
    const waiting = cache.getOrSet('b', () => 'other b', { signal: abort.signal });
    abort.abort(new Error('enough'));
    await t.rejects(waiting, { message: 'enough' });
    gate.open();
    await asked.opened;
    return 'a';
  });
  await gate.opened;
  asked.open();
  t.equal(await a, 'a');
  t.equal(await b, 'b with a');
});

t.test('the same key in two caches is two keys', async (t) => {
  const outer = withCache<string>(t);
  const inner = withCache<string>(t);
  t.equal(await outer.getOrSet('k', async (key) => `outer ${await inner.getOrSet(key, () => 'inner')}`), 'outer inner');
  t.equal(
    outer.getOrSetSync('s', (key) => `outer ${inner.getOrSetSync(key, () => 'inner')}`),
    'outer inner',
  );
  await t.rejects(
    outer.getOrSet('r', (key) => inner.getOrSet('r', () => outer.getOrSet(key, () => ''))),
    { code: 'ERR_RECURSIVE_LOAD' },
    'also by way of another cache',
  );
});

t.test('a loader that waits for more loads than can be noted', async (t) => {
  const cache = withCache<number>(t, { maxBytes: '16MB' });
  const numbers = Array.from({ length: WAIT_COUNT + 500 }, (_, i) => i);
  const gate = newGate();
  const sum = cache.getOrSet('sum', async () => {
    const load = async (key: string): Promise<number> => {
      await gate.opened;
      return Number(key);
    };
    const values = Promise.all(numbers.map((i) => cache.getOrSet(`${i}`, load)));
    gate.open();
    return (await values).reduce((total, value) => total + value, 0);
  });
  t.equal(await sum, (numbers.length * (numbers.length - 1)) / 2);
  t.equal(cache.getStats().loads, numbers.length + 1);
});
