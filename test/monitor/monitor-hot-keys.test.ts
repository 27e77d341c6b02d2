/** Which keys are used most: the ring of keys alone, and through caches on several threads. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { KeyEncoder } from '../../src/codec/key.js';
import { type HottestKeys, SharedCache, SharedMonitor } from '../../src/index.js';
import { type KeyNote, KeyNotes } from '../../src/monitor/key-notes.js';
import { KEY_NOTE, KEY_NOTE_TEXT_BYTES, MAX_KEY_NOTES, monitorLayout, THREAD } from '../../src/monitor/layout.js';
import { MonitorMemory } from '../../src/monitor/memory.js';
import { resolveMonitorOptions } from '../../src/monitor/options.js';
import { Ring } from '../../src/monitor/ring.js';
import { HOT_KEY, HOT_NAMESPACE, isOtherKey } from '../fixtures/skewed.js';
import { readWhileWritten, type WrittenRing } from './monitor-torn.js';

const writer = new URL('./monitor-key-writer.js', import.meta.url);
const skewed = new URL('../fixtures/skewed.js', import.meta.url);
const encoder = new KeyEncoder(1, 2);

/** A monitor with a look at its memory. */
function monitorWith(options: { retention?: number; threads?: number; sample?: number }) {
  const monitor = new SharedMonitor(options);
  const memory = MonitorMemory.attach(monitor.handle.buffer);
  const note = (thread: number, key: string, timestamp = Date.now(), isRead = true): void => {
    encoder.encode(key);
    new KeyNotes(memory, thread).write(timestamp, encoder, isRead, 1);
  };
  return { monitor, memory, note };
}

const hottestOf = ({ monitor }: SharedCache<unknown>): HottestKeys => (monitor as SharedMonitor).getHottestKeys();
const keysOf = ({ keys }: HottestKeys): string[] => keys.map(({ key }) => key);

function withCache(t: { teardown(body: () => void): void }, options: object = {}): SharedCache<unknown> {
  const cache = new SharedCache<unknown>({ maxBytes: '1MB', sweep: false, monitor: { sample: 1 }, ...options });
  t.teardown(() => cache.close());
  return cache;
}

t.test('the last notes of a thread remain, whole', async (t) => {
  const { memory, note } = monitorWith({ retention: 10 });
  for (let i = 0; i < 25; i++) note(0, `key ${i}`, i, i % 2 === 0);
  const notes = new KeyNotes(memory, 0).read().sort((a, b) => a.timestamp - b.timestamp);
  t.strictSame(
    notes.map(({ text, timestamp, isRead, keyBytes }) => ({ text, timestamp, isRead, keyBytes })),
    Array.from({ length: 10 }, (_, i) => i + 15).map((i) => ({
      text: `key ${i}`,
      timestamp: i,
      isRead: i % 2 === 0,
      keyBytes: 6,
    })),
  );
  t.strictSame(new KeyNotes(memory, 1).read(), []);
});

t.test('a writer killed in the middle loses its own note, and the next one of its place goes on there', async (t) => {
  const { memory, note } = monitorWith({ retention: 4 });
  for (let i = 0; i < 6; i++) note(0, `key ${i}`);
  const { layout } = memory;
  const ring = new Ring(memory, {
    headWord: layout.threadsWord + THREAD.keyRingHead,
    firstDouble: layout.keyRingsDouble,
    length: layout.keyNotes,
    recordDoubles: KEY_NOTE.words / 2,
  });
  const torn = ring.begin();
  memory.words.fill(-1, torn * 2 + 1, torn * 2 + KEY_NOTE.words);
  const texts = (): string[] => new KeyNotes(memory, 0).read().map(({ text }) => text);
  t.strictSame(texts().sort(), ['key 3', 'key 4', 'key 5']);
  note(0, 'next');
  t.strictSame(texts().sort(), ['key 3', 'key 4', 'key 5', 'next']);
});

function writtenRing(validate: boolean): WrittenRing<KeyNote> {
  const { memory } = monitorWith({ retention: 2, threads: 1 });
  const notes = new KeyNotes(memory, 0);
  return {
    writer,
    workerData: { buffer: memory.buffer },
    read: () => notes.read(validate),
    isTorn({ timestamp, epoch, hash, text }) {
      const words = new Int32Array(new Uint8Array(Buffer.from(text, 'latin1')).buffer);
      return epoch !== timestamp || hash !== timestamp || words.some((word) => word !== timestamp);
    },
  };
}

t.test('a ring that wraps around under its readers shows whole notes only', async (t) => {
  const { seen, torn } = await readWhileWritten(writtenRing(true), (_, seen) => seen >= 100_000);
  t.equal(torn, 0);
  t.ok(seen > 1_000, `${seen} notes read`);
});

t.test('negative control: without validation torn notes are seen', async (t) => {
  const { seen, torn } = await readWhileWritten(writtenRing(false), (torn) => torn > 0);
  t.ok(torn > 0, `${torn} of ${seen} notes torn`);
});

t.test('shares and rates, the hottest first; a key that was noted once is none', async (t) => {
  const { monitor, note } = monitorWith({ sample: 10 });
  for (let i = 0; i < 60; i++) note(0, i % 2 === 0 ? 'a' : i % 3 === 0 ? 'b' : `c${i}`, Date.now(), i % 4 === 0);
  const { notes, since, keys } = monitor.getHottestKeys();
  t.equal(notes, 60);
  t.ok(since <= Date.now() && since > Date.now() - 60_000);
  t.match(keys, [
    { key: 'a', namespaces: [], isCut: false, share: 0.5, notes: 30, reads: 15 },
    { key: 'b', namespaces: [], isCut: false, share: 1 / 6, notes: 10, reads: 0 },
  ]);
  t.equal(keys.length, 2);
  t.equal(keys[0].opsPerSecond / keys[1].opsPerSecond, 3);
  t.ok(keys[0].opsPerSecond >= 300 / 60);
  t.strictSame(keysOf(monitor.getHottestKeys(1)), ['a']);
  t.strictSame(keysOf(monitor.getHottestKeys(Number.POSITIVE_INFINITY)), ['a', 'b']);
  t.strictSame(monitor.getHottestKeys(0).keys, []);
  for (const wrong of [-1, Number.NaN, '3' as unknown as number]) {
    t.throws(() => monitor.getHottestKeys(wrong), { code: 'ERR_INVALID_ARGUMENT' });
    t.throws(() => monitor.getHottestKeys(1, wrong), { code: 'ERR_INVALID_ARGUMENT' });
  }
  for (let i = 0; i < 2; i++) note(0, 'of the last epoch', Date.now() + 60_000);
  monitor.reset();
  t.match(monitor.getHottestKeys(), { notes: 0, keys: [] });
  monitor.close();
  t.throws(() => monitor.getHottestKeys(), { code: 'ERR_CLOSED' });
});

t.test('only notes of the last minutes count, and no further back than the busiest thread remembers', async (t) => {
  const { monitor, memory, note } = monitorWith({ retention: 8 });
  const now = Date.now();
  memory.startedAt = now - 1e7;
  for (let i = 0; i < 4; i++) note(0, 'old', now - 300_000);
  for (let i = 0; i < 3; i++) note(0, 'seldom', now - 30_000 + i);
  t.strictSame(keysOf(monitor.getHottestKeys()), ['seldom']);
  t.strictSame(keysOf(monitor.getHottestKeys(10, 10)), ['old', 'seldom']);
  t.equal(monitor.getHottestKeys(10, 10).notes, 7);

  for (let i = 0; i < 20; i++) note(1, 'often', now - 1_000 + i);
  const hottest = monitor.getHottestKeys();
  t.match(hottest, { notes: 8, since: now - 988 });
  t.match(hottest.keys, [{ key: 'often', share: 1 }]);
});

t.test('the memory grows by a known amount', async (t) => {
  const { keyNotes } = monitorLayout(resolveMonitorOptions());
  t.equal(keyNotes, MAX_KEY_NOTES);
  t.equal(128 * keyNotes * KEY_NOTE.words * 4, 5 * 2 ** 20, '5 MB by default');
  t.equal(monitorLayout(resolveMonitorOptions({ retention: 1 })).keyNotes, 1, 'and less where less is kept');
});

t.test('a cache notes keys of get, put and delete, with their namespaces, and none that was refused', async (t) => {
  const cache = withCache(t);
  const inner = cache.namespace('users').namespace('eu');
  const use = (): void => {
    for (let i = 0; i < 3; i++) cache.get('same');
    inner.put('same', 1);
    inner.get('same');
    cache.delete('gone');
    cache.getMany(['many', 'same']);
    for (const wrong of [() => cache.get(7 as unknown as string), () => cache.put('no', () => 1)]) t.throws(wrong);
    cache.has('same');
  };
  use();
  use();
  await cache.getOrSet('loaded', () => 1);
  await cache.getOrSet('loaded', () => 1);
  const { notes, keys } = hottestOf(cache);
  t.equal(notes, 18);
  t.match(keys.map(({ key, namespaces, notes, reads }) => [key, namespaces.join('/'), notes, reads]).sort(), [
    ['gone', '', 2, 0],
    ['loaded', '', 2, 2],
    ['many', '', 2, 2],
    ['same', '', 8, 8],
    ['same', 'users/eu', 4, 2],
  ]);
  t.equal(keys[0].share, 8 / 18);
});

t.test('long keys are known by their beginning, and told apart', async (t) => {
  const cache = withCache(t);
  const long = (end: string): string => `${'é'.repeat(32_767)}${end}`;
  const fits = 'k'.repeat(KEY_NOTE_TEXT_BYTES);
  const inside = cache.namespace('n'.repeat(KEY_NOTE_TEXT_BYTES - 4));
  for (let i = 0; i < 4; i++) {
    cache.get(long('a'));
    if (i > 0) cache.get(long('bc'));
    if (i > 1) inside.get('€uro');
    if (i > 1) cache.get(fits);
  }
  const keys = hottestOf(cache).keys;
  t.match(keys, [
    { key: 'é'.repeat(64), isCut: true, notes: 4 },
    { key: 'é'.repeat(64), isCut: true, notes: 3 },
    { key: '', isCut: true, notes: 2, namespaces: ['n'.repeat(KEY_NOTE_TEXT_BYTES - 4)] },
    { key: fits, isCut: false, notes: 2 },
  ]);
});

t.test('hostile keys come back as they are', async (t) => {
  const cache = withCache(t);
  const keys = ['', '\ud800', '\udc00\ud800', '\x1b[2J\r\n\0', '<img src=x onerror=alert(1)>', '__proto__', '\ufffd🥮'];
  for (const key of [...keys, ...keys]) cache.namespace(key).get(key);
  const found = hottestOf(cache).keys;
  t.strictSame(keysOf({ keys: found, notes: 0, since: 0 }).sort(), [...keys].sort());
  for (const { key, namespaces } of found) t.strictSame(namespaces, [key]);
});

t.test('bytes that are no key are left out', async (t) => {
  const { monitor, memory, note } = monitorWith({ threads: 1 });
  for (let i = 0; i < 2; i++) note(0, 'good');
  for (let i = 0; i < 3; i++) note(0, 'evil');
  const evil = Buffer.from(memory.buffer);
  for (let at = evil.indexOf('evil'); at >= 0; at = evil.indexOf('evil')) evil.fill(0xf7, at, at + 4);
  t.match(monitor.getHottestKeys(), { notes: 5, keys: [{ key: 'good', share: 0.4 }] });
});

t.test('a codec that uses or closes the cache does not mix up what is noted', async (t) => {
  let closes = false;
  const codec = {
    encode: (): Uint8Array => Buffer.from('x'),
    decode: (): object => {
      if (closes) cache.close();
      else cache.get('inner');
      return {};
    },
  };
  const cache = withCache(t, { codec });
  const other = SharedMonitor.attach((cache.monitor as SharedMonitor).handle);
  cache.put('outer', {});
  for (let i = 0; i < 2; i++) cache.get('outer');
  t.match(other.getHottestKeys().keys, [
    { key: 'outer', notes: 3, reads: 2 },
    { key: 'inner', notes: 2, reads: 2 },
  ]);
  closes = true;
  t.strictSame(cache.get('outer'), {}, 'a get that has its value does not throw because the codec closed the cache');
  t.equal(cache.closed, true);
  other.close();
});

t.test('threads with a skewed load: the hot key is first, by about its share', async (t) => {
  const cache = withCache(t, { monitor: { sample: 16 } });
  const hot = cache.namespace<unknown>(HOT_NAMESPACE);
  hot.put(HOT_KEY, 1);
  const workers = Array.from(
    { length: 3 },
    () => new Worker(skewed, { workerData: { handle: cache.handle }, execArgv: [] }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  const { notes, keys } = hottestOf(cache);
  t.ok(notes >= MAX_KEY_NOTES - 1, `${notes} notes`);
  t.match(keys[0], { key: HOT_KEY, namespaces: [HOT_NAMESPACE], isCut: false });
  t.ok(Math.abs(keys[0].share - 1 / 3) < 0.15, `${keys[0].share}`);
  t.equal(keys[0].reads, keys[0].notes);
  t.ok(keys.slice(1).every(({ key, share }) => isOtherKey(key) && share < 0.05));
});

t.test('control: an even load has no hot key', async (t) => {
  const cache = withCache(t, { monitor: { sample: 16 } });
  for (let i = 0; i < 20_000; i++) cache.get(`key ${Math.floor(Math.random() * 1_000)}`);
  const { keys } = hottestOf(cache);
  t.ok(keys.every(({ share }) => share < 0.05));
});
