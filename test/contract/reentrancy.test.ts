/**
 * The user's code runs inside of calls: getters, toJSON, codecs, callbacks, loaders, listeners, iterations. Whatever it does
 * to the same cache there, the call that is under way either completes or throws ERR_CLOSED having changed nothing, and the
 * structure stays whole while other threads write.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { type Codec, SharedCache, type SharedCacheHandle } from '../../src/index.js';
import { newCache } from '../fixtures/with-cache.js';

type Cache = SharedCache<unknown>;
const long = 'y'.repeat(3_000);

/** What a callback may do to the cache it is called from. */
const ACTIONS: Record<string, (cache: Cache) => void> = {
  close: (cache) => cache.close(),
  clear: (cache) => cache.clear(),
  'put of the same key': (cache) => cache.put('k', { nested: long }),
  'delete of the same key': (cache) => cache.delete('k'),
  'a nested update': (cache) => cache.update('k', (value) => (value === undefined ? 'new' : value)),
  'an object put elsewhere': (cache) => cache.put('other', { list: [1, { deep: long }] }, { tags: ['t'] }),
  'an increment': (cache) => cache.increment('n'),
  'a look around': (cache) => [...cache.entries()],
  attach: (cache) => SharedCache.attach(cache.handle, { codec }).close(),
};

/** Places where the user's code runs inside of a call. `act` is what it does there. */
const PLACES: Record<string, (cache: Cache, act: () => void) => unknown> = {
  'a getter of a value': (cache, act) =>
    cache.put('k', {
      get a() {
        act();
        return long;
      },
      b: [1, 2],
    }),
  'a getter of the options': (cache, act) =>
    cache.put('k', 'value', {
      get ttl() {
        act();
        return 50_000;
      },
    }),
  'a getter in putMany': (cache, act) =>
    cache.putMany([
      ['a', 1],
      [
        'k',
        {
          get a() {
            act();
            return 5;
          },
        },
      ],
    ]),
  'a getter in putIfAbsent': (cache, act) => {
    cache.delete('k');
    return cache.putIfAbsent('k', {
      get a() {
        act();
        return 5;
      },
    });
  },
  'the callback of update': (cache, act) =>
    cache.update('k', () => {
      act();
      return { updated: long };
    }),
  'the callback of an update that removes': (cache, act) =>
    cache.update('k', () => {
      act();
      return undefined;
    }),
  'a compute': (cache, act) =>
    cache.getOrSetSync('computed', () => {
      act();
      return { computed: long };
    }),
  'an iteration': (cache, act) => {
    for (const [key] of cache) {
      act();
      if (key === '') break;
    }
  },
  'a visit of forEach': (cache, act) =>
    cache.forEach(() => {
      act();
    }),
};

const codec: Codec = {
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()),
};

function codeOf(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code ?? error;
  }
}

/** Threads that write to the cache until they are told to stop. */
function writers(handle: SharedCacheHandle): { stop(): Promise<string[]> } {
  const words = new SharedArrayBuffer(4);
  const threads = [0, 1].map(
    (seat) =>
      new Worker(new URL('../fixtures/steady-writer.js', import.meta.url), {
        execArgv: [],
        workerData: { handle, words, seat },
      }),
  );
  const results = threads.map(async (thread) => (await once(thread, 'message'))[0] as string);
  return {
    async stop() {
      Atomics.store(new Int32Array(words), 0, 1);
      return Promise.all(results);
    },
  };
}

t.test('every place with everything a callback may do, while two threads write', async (t) => {
  const watcher = newCache<unknown>({ maxBytes: '8MB', codec });
  const { stop } = writers(watcher.handle);
  for (const [place, call] of Object.entries(PLACES)) {
    for (const [action, act] of Object.entries(ACTIONS)) {
      const cache: Cache = SharedCache.attach(watcher.handle, { codec });
      cache.put('k', { before: true });
      let acts = 0;
      const code = codeOf(() => call(cache, () => (acts++ < 3 ? act(cache) : undefined)));
      const allowed = action === 'close' ? [undefined, 'ERR_CLOSED'] : [undefined];
      t.ok(allowed.includes(code as string), `${place}, ${action}: ${code}`);
      if (action === 'close') {
        t.same(
          codeOf(() => cache.get('k')),
          'ERR_CLOSED',
        );
        t.same(
          codeOf(() => cache.keys().next()),
          'ERR_CLOSED',
        );
      }
      cache.close();
    }
  }
  t.same(await stop(), ['ok', 'ok']);
  t.same(watcher.inspect(), { ok: true, problems: [] });
  watcher.close();
});

t.test('an iterator of a cache that was closed since', async (t) => {
  const cache = newCache<number>({ maxBytes: '4MB' });
  for (let i = 0; i < 10; i++) cache.put(`k${i}`, i);
  const iterators = [cache.keys(), cache.values(), cache.entries(), cache.namespace('n').keys()];
  for (const iterator of iterators.slice(0, 3)) iterator.next();
  cache.close();
  for (const iterator of iterators) t.throws(() => iterator.next(), { code: 'ERR_CLOSED' });
});

/** Calls, and whether they have done what they are for, whatever the clock did before. */
const CALLS: [(cache: Cache) => unknown, (cache: Cache) => boolean][] = [
  [(cache) => cache.put('k', { a: 1 }), (cache) => (cache.get('k') as { a: number }).a === 1],
  [(cache) => cache.put('k', 7, { ttl: 500, tags: ['t'] }), (cache) => cache.entry('k')?.expiresIn === 500],
  [
    (cache) =>
      cache.putMany([
        ['k', 3],
        ['l', 4],
      ]),
    (cache) => `${cache.getMany(['k', 'l'])}` === '3,4',
  ],
  [(cache) => cache.putIfAbsent('l', 5), (cache) => cache.get('l') === 5],
  [(cache) => cache.increment('count'), (cache) => cache.get('count') === 1],
  [(cache) => cache.increment('count', 1, { ttl: 500 }), (cache) => cache.expiresIn('count') === 500],
  [(cache) => cache.touch('k', 100), (cache) => !cache.has('k') || cache.expiresIn('k') === 100],
  [(cache) => cache.touch('k', 100, { tags: ['u'] }), (cache) => !cache.has('k') || cache.expiresIn('k') === 100],
  [(cache) => cache.delete('k'), (cache) => !cache.has('k')],
  [(cache) => cache.take('k'), (cache) => !cache.has('k')],
  [(cache) => cache.update('k', () => 2), (cache) => cache.get('k') === 2],
  [(cache) => cache.cleanupExpired(), () => true],
  // What was cleared since the load began is not stored.
  [(cache) => cache.getOrSetSync('l', () => 2), (cache) => [2, undefined].includes(cache.get('l') as number)],
];

t.test('a clock of one’s own that uses the cache', async (t) => {
  for (const [action, todo] of Object.entries(ACTIONS)) {
    if (action === 'attach') continue;
    let calls = 0;
    let at = 0;
    const acting = (
      call: (cache: Cache) => unknown,
      isDone: (cache: Cache) => boolean,
    ): { code: unknown; calls: number; recoveries: number } => {
      let isArmed = false;
      const cache = newCache<unknown>({
        maxBytes: '4MB',
        now: () => {
          calls++;
          if (isArmed && calls === at) {
            isArmed = false;
            todo(cache);
          }
          return 1_000;
        },
      });
      const watcher = SharedCache.attach(cache.handle);
      cache.put('k', 1, { ttl: 5_000, tags: ['t'] });
      calls = 0;
      isArmed = true;
      const code = codeOf(() => call(cache));
      isArmed = false;
      const asked = calls;
      const { recoveries } = watcher.getStats();
      t.same(watcher.inspect().problems, []);
      if (code === undefined) t.ok(isDone(cache), `${action}, ${at}: does what it was called for`);
      watcher.close();
      cache.close();
      return { code, calls: asked, recoveries };
    };
    for (const [call, isDone] of CALLS) {
      // At each moment at which the call asks it.
      for (at = 1; ; at++) {
        const { code, calls, recoveries } = acting(call, isDone);
        t.ok(code === (action === 'close' ? 'ERR_CLOSED' : undefined), `${action}, ${at}: ${code}`);
        t.equal(recoveries, 0, 'no lock was held meanwhile');
        if (at >= calls) break;
      }
    }
  }
});

t.test('a clock of one’s own that uses the cache while it is read', async (t) => {
  const READS: Record<string, [(cache: Cache) => unknown, unknown]> = {
    get: [(cache) => cache.get('k'), 'right'],
    peek: [(cache) => cache.peek('k'), 'right'],
    entry: [(cache) => cache.entry('k')?.value, 'right'],
    expiresIn: [(cache) => cache.expiresIn('k'), 5_000],
    take: [(cache) => cache.take('k'), 'right'],
    getMany: [(cache) => cache.getMany(['k', 'far']).join(), 'right,far away'],
    entries: [(cache) => [...cache].sort().join(), 'far,far away,k,right,wrong,w'],
    getOrSetSync: [(cache) => cache.getOrSetSync('k', () => 'loaded'), 'right'],
  };
  for (const [name, [read, expected]] of Object.entries(READS)) {
    for (const isNear of [false, true]) {
      let meddle: (() => void) | undefined;
      const now = (): number => {
        meddle?.();
        return 1_000;
      };
      const cache = newCache<unknown>({ maxBytes: '4MB', shards: 1, now });
      const meddler = SharedCache.attach(cache.handle, { now });
      cache.put('k', 'right', { ttl: 5_000 });
      cache.put('far', 'far away', { ttl: 5_000 });
      cache.put('wrong', 'w', { ttl: 7_000 });
      const reader = isNear ? cache : meddler;
      meddle = () => [reader.get('wrong'), reader.expiresIn('wrong')];
      t.equal(read(reader), expected, `${name}, ${isNear ? 'near' : 'far'}`);
      meddle = undefined;
      meddler.close();
      cache.close();
    }
  }
});

t.test('a codec that uses the cache', async (t) => {
  let cache: Cache | undefined;
  let act: ((cache: Cache) => void) | undefined;
  const run = (): void => {
    const now = act;
    act = undefined;
    if (cache !== undefined) now?.(cache);
  };
  const meddling: Codec = {
    encode(value) {
      run();
      return codec.encode(value);
    },
    decode(bytes) {
      run();
      return codec.decode(bytes);
    },
  };
  for (const [action, todo] of Object.entries(ACTIONS)) {
    if (action === 'attach') continue;
    for (const call of [
      () => cache?.put('k', { a: 1 }),
      () => cache?.get('k'),
      () => cache?.take('k'),
      () => cache?.entry('k'),
      () => [...(cache as Cache)],
    ]) {
      cache = newCache<unknown>({ maxBytes: '4MB', codec: meddling });
      const watcher = SharedCache.attach(cache.handle, { codec });
      cache.put('k', { before: true });
      act = todo;
      t.ok([undefined, 'ERR_CLOSED'].includes(codeOf(call) as undefined), action);
      t.same(watcher.inspect().problems, []);
      watcher.close();
      cache.close();
    }
  }
});

t.test('the user’s own exit handler may use its open cache', async (t) => {
  const cache = newCache<number>({ maxBytes: '4MB' });
  const other = new Worker(new URL('../fixtures/exit-writer.js', import.meta.url), {
    execArgv: [],
    workerData: cache.handle,
  });
  await once(other, 'exit');
  t.equal(cache.get('in the handler'), 1_000);
  t.same(cache.inspect().problems, []);
  cache.close();
});
