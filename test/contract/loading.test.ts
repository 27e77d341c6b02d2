import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { type LoaderContext, SharedCache } from '../../src/index.js';
import { newCache, withCache } from '../fixtures/with-cache.js';

/** A promise and what resolves it. */
function gate<T = void>(): { promise: Promise<T>; open(value: T): void } {
  let open: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

t.test('callers get copies of their own, on a miss as on a hit', async (t) => {
  const cache = withCache<unknown>(t);
  class Point {
    x = 1;
    get far(): boolean {
      return true;
    }
  }
  const own = { list: [1], point: new Point() };
  const [a, b] = (await Promise.all([
    cache.getOrSet('k', () => own),
    cache.getOrSet('k', () => own),
  ])) as (typeof own)[];
  t.not(a, own);
  t.not(a, b);
  a.list.push(2);
  own.list.push(3);
  t.same(b, { list: [1], point: { x: 1 } });
  t.equal(Object.getPrototypeOf(b.point), Object.prototype, 'a class instance comes back plain');
  t.strictSame(await cache.getOrSet('k', () => 0), { list: [1], point: { x: 1 } });
  const sync = cache.getOrSetSync('s', () => own) as typeof own;
  t.not(sync, own);
  t.equal(Object.getPrototypeOf(sync.point), Object.prototype);
  const updated = cache.update('u', () => own) as typeof own;
  t.not(updated, own);
  const wrapped = cache.wrap(() => own, { key: () => 'w' });
  t.not(await wrapped(), own);
  const skipped = (await cache.getOrSet('n', (_, context) => {
    context.skip();
    return own;
  })) as typeof own;
  t.not(skipped, own, 'also when it is not stored');
});

t.test('what the loader may say: TTL, tags, and not to store', async (t) => {
  const cache = withCache<unknown>(t);
  const contexts: LoaderContext<unknown>[] = [];
  await cache.getOrSet(
    'k',
    (_, context) => {
      contexts.push(context);
      context.setTtl('5m');
      context.setTags(['b']);
      return 1;
    },
    { ttl: 5, tags: ['a'] },
  );
  t.ok((cache.expiresIn('k') as number) > 200_000);
  t.same(cache.entry('k')?.tags, ['b']);
  cache.getOrSetSync('s', (_, context) => {
    t.throws(() => context.setTtl('soon'), { code: 'ERR_INVALID_TTL' });
    t.throws(() => context.setTags(['']), { code: 'ERR_INVALID_ARGUMENT' });
    context.setTtl(0);
    return 2;
  });
  t.equal(cache.has('s'), false);
  const unstored = await cache.getOrSet('n', (_, { skip }) => {
    skip();
    return 3;
  });
  t.equal(unstored, 3);
  t.equal(cache.has('n'), false);
  t.equal(contexts[0].stale, undefined);
  t.equal(contexts[0].signal.aborted, false);
});

t.test('stale: the value that has expired', async (t) => {
  let now = 0;
  const cache = withCache<unknown>(t, { now: () => now });
  cache.put('k', { old: true }, { ttl: 10 });
  now = 10;
  t.equal(cache.get('k'), undefined);
  let stale: unknown;
  await cache.getOrSet('k', (_, context) => {
    stale = context.stale;
    return 2;
  });
  t.same(stale, { old: true });
  cache.put('k', 1, { tags: ['t'] });
  cache.invalidateTags('t');
  cache.getOrSetSync('k', (_, context) => {
    stale = context.stale;
    return 2;
  });
  t.equal(stale, undefined, 'not what a tag has ended');
});

t.test('grace: the old value instead of a loader’s error', async (t) => {
  let now = 0;
  const cache = withCache<unknown>(t, { now: () => now });
  const options = { ttl: 10, grace: 100 };
  const fail = (): never => {
    throw new Error('mine');
  };
  await cache.getOrSet('k', () => ({ v: 1 }), options);
  now = 10;
  t.equal(cache.get('k'), undefined, 'get does not see it');
  t.equal(cache.has('k'), false);
  t.equal(cache.expiresIn('k'), undefined);
  t.same([...cache.keys()], []);
  cache.cleanupExpired();
  t.equal(cache.size, 0);
  t.same(await cache.getOrSet('k', async () => fail(), options), { v: 1 });
  t.same(cache.getOrSetSync('k', fail, options), { v: 1 });
  await t.rejects(cache.getOrSet('k', fail), { message: 'mine' }, 'only with the option');
  t.equal(await cache.getOrSet('k', () => 2, { ttl: 10, grace: 100 }), 2, 'a loader that succeeds');
  t.equal(cache.size, 1);
  now = 119;
  cache.cleanupExpired();
  t.equal(await cache.getOrSet('k', fail, options), 2);
  now = 120;
  await t.rejects(cache.getOrSet('k', fail, options), { message: 'mine' });
  cache.cleanupExpired();
  t.equal(cache.getStats().left.expired, 2);
});

t.test('what is kept for grace is the first to be evicted', async (t) => {
  let now = 0;
  const cache = withCache<number>(t, { now: () => now, maxEntries: 10, shards: 1, eviction: 'lru' });
  for (let i = 0; i < 5; i++) await cache.getOrSet(`old${i}`, () => i, { ttl: 10, grace: 1_000 });
  now = 10;
  for (let i = 0; i < 10; i++) cache.put(`new${i}`, i, { ttl: 1_000 });
  t.equal(cache.getStats().evictions, 0);
  t.equal([...cache.keys()].length, 10);
});

t.test('refreshAhead: a hit in the last share of the TTL loads in the background, once', async (t) => {
  let now = 0;
  const cache = withCache<number>(t, { now: () => now });
  let loads = 0;
  const load = async (): Promise<number> => ++loads;
  const options = { ttl: 100, refreshAhead: 0.2 };
  t.equal(await cache.getOrSet('k', load, options), 1);
  now = 79;
  t.equal(await cache.getOrSet('k', load, options), 1);
  t.equal(loads, 1);
  now = 80;
  t.same(await Promise.all([1, 2, 3].map(() => cache.getOrSet('k', load, options))), [1, 1, 1]);
  while (cache.peek('k') !== 2) await new Promise((resolve) => setImmediate(resolve));
  t.equal(loads, 2);
  t.equal(cache.expiresIn('k'), 100);
  now = 170;
  t.equal(
    cache.getOrSetSync(
      'k',
      () => {
        throw new Error('mine');
      },
      options,
    ),
    2,
    'a failure leaves the value',
  );
  t.equal(
    cache.getOrSetSync('k', () => 9, options),
    9,
  );
  await cache.getOrSet(
    'long',
    (_, { setTtl }) => {
      setTtl(1_000);
      return 5;
    },
    options,
  );
  now = 170 + 790;
  await cache.getOrSet('long', load, options);
  t.equal(loads, 2, 'the share of the TTL it was given');
});

t.test('jitter shortens each TTL by a share of it', async (t) => {
  const cache = withCache<number>(t, { now: () => 0 });
  const ttls = new Set<number>();
  for (let i = 0; i < 50; i++) {
    cache.getOrSetSync(`k${i}`, () => i, { ttl: 1_000, jitter: 0.5 });
    ttls.add(cache.expiresIn(`k${i}`) as number);
  }
  t.ok([...ttls].every((ttl) => ttl >= 500 && ttl <= 1_000));
  t.ok(ttls.size > 10);
});

t.test('force loads what is present', async (t) => {
  const cache = withCache<number>(t);
  cache.put('k', 1);
  t.equal(await cache.getOrSet('k', () => 2, { force: true }), 2);
  t.equal(
    cache.getOrSetSync('k', () => 3, { force: true }),
    3,
  );
  t.equal(cache.get('k'), 3);
});

t.test('an old value that the codec cannot read does not keep the key from being loaded', async (t) => {
  let now = 0;
  const codec = {
    encode: (value: unknown) => Buffer.from(JSON.stringify(value)),
    decode(bytes: Uint8Array): unknown {
      const value = JSON.parse(Buffer.from(bytes).toString());
      if (value.format === 1) throw new Error('format 1');
      return value;
    },
  };
  const cache = withCache<object>(t, { codec, now: () => now });
  const load = (): object => ({ format: 2 });
  cache.putMany(
    [
      ['async', { format: 1 }],
      ['sync', { format: 1 }],
      ['asked', { format: 1 }],
    ],
    { ttl: 5 },
  );
  cache.put('live', { format: 1 });
  now = 10;
  t.same(await cache.getOrSet('async', load), { format: 2 });
  t.same(cache.getOrSetSync('sync', load), { format: 2 });
  t.same(await cache.getOrSet('live', load, { force: true }), { format: 2 });
  await t.rejects(
    cache.getOrSet('asked', (_, { stale }) => stale ?? {}),
    { message: 'format 1' },
  );
  now = 10 + 2 * 3_600_000;
  t.equal(
    await cache
      .getOrSet('async', (_, context) => {
        t.ok('stale' in context);
        t.equal(context.stale, context.stale, 'decoded once');
        return context.stale ?? {};
      })
      .then(JSON.stringify),
    '{"format":2}',
  );
});

t.test('options that make no sense', async (t) => {
  const cache = withCache<number>(t);
  const bad: [object, string][] = [
    [{ grace: -1 }, 'ERR_INVALID_TTL'],
    [{ grace: Number.POSITIVE_INFINITY }, 'ERR_INVALID_TTL'],
    [{ staleTtl: 'soon' }, 'ERR_INVALID_TTL'],
    [{ refreshAhead: 1.5 }, 'ERR_INVALID_ARGUMENT'],
    [{ refreshAhead: '0.5' }, 'ERR_INVALID_ARGUMENT'],
    [{ jitter: -0.1 }, 'ERR_INVALID_ARGUMENT'],
    [{ jitter: Number.NaN }, 'ERR_INVALID_ARGUMENT'],
    [{ force: 1 }, 'ERR_INVALID_ARGUMENT'],
    [{ tags: [5] }, 'ERR_INVALID_ARGUMENT'],
    [{ timeoutMs: -1 }, 'ERR_INVALID_ARGUMENT'],
    [{ timeoutMs: 'soon' }, 'ERR_INVALID_TTL'],
    [{ signal: {} }, 'ERR_INVALID_ARGUMENT'],
    [{ refreshahead: 0.5 }, 'ERR_INVALID_OPTION'],
  ];
  for (const [options, code] of bad) {
    await t.rejects(
      cache.getOrSet('k', () => 1, options),
      { code },
      JSON.stringify(options),
    );
    t.throws(() => cache.getOrSetSync('k', () => 1, options), { code });
  }
  t.equal(cache.has('k'), false);
});

/** Each way to overtake a load of the key 'k'. */
const overtaking: Record<string, (cache: SharedCache<unknown>) => void> = {
  put: (cache) => cache.put('k', 'put'),
  delete: (cache) => cache.delete('k'),
  take: (cache) => cache.take('k'),
  'update away': (cache) => cache.update('k', () => undefined),
  clear: (cache) => cache.clear(),
  'its tag': (cache) => cache.invalidateTags('t'),
  'a tag that the loader sets': (cache) => cache.invalidateTags('late'),
};
for (const [name, overtake] of Object.entries(overtaking)) {
  t.test(`a load that was overtaken is handed out, not stored: ${name}`, async (t) => {
    const cache = withCache<unknown>(t);
    const [began, gone] = [gate(), gate()];
    const options = { tags: ['t'] };
    const first = cache.getOrSet(
      'k',
      async (_, { setTags }) => {
        began.open();
        await gone.promise;
        setTags(['t', 'late']);
        return 'old';
      },
      options,
    );
    await began.promise;
    overtake(cache);
    const stored = cache.peek('k');
    let loads = 0;
    const second = cache.getOrSet(
      'k',
      async () => {
        loads++;
        return 'new';
      },
      options,
    );
    gone.open();
    t.equal(await first, 'old');
    t.equal(await second, stored ?? 'new', 'who asks afterwards gets no older data');
    t.equal(loads, stored === undefined ? 1 : 0);
    t.equal(cache.get('k'), stored ?? 'new');
    t.equal(
      cache.getOrSetSync('s', () => {
        cache.put('s', 'put');
        return 'old';
      }),
      'old',
    );
    t.equal(cache.get('s'), 'put');
  });
}

t.test(
  'who asks after a tag of a load was invalidated begins another at once, and hears nothing of the old one',
  async (t) => {
    for (const [name, given, said, asked] of [
      ['options', ['t'], undefined, ['t']],
      ['options, which the other caller has not', ['t'], undefined, []],
      ['the other caller’s options', [], undefined, ['t']],
      ['setTags', [], ['t'], []],
    ] as const) {
      const cache = withCache<string>(t);
      const gone = gate();
      const load = async (_: string, { setTags }: LoaderContext<string>): Promise<string> => {
        if (said !== undefined) setTags(said);
        await gone.promise;
        throw new Error('old');
      };
      const first = cache.getOrSet('k', load, { tags: given });
      cache.invalidateTags('another');
      const joined = cache.getOrSet('k', () => 'not called', { tags: asked });
      cache.invalidateTags('t');
      t.equal(await cache.getOrSet('k', () => 'new', { tags: asked }), 'new', name);
      t.equal(cache.get('k'), 'new');
      gone.open();
      await t.rejects(first, { message: 'old' });
      await t.rejects(joined, { message: 'old' }, 'who asked before has joined');
      t.equal(cache.get('k'), 'new');
    }
  },
);

t.test('a load is overtaken by one that began later and has ended', async (t) => {
  const cache = withCache<string>(t);
  const gone = gate();
  const old = async (): Promise<string> => {
    await gone.promise;
    return 'older';
  };
  const abort = new AbortController();
  const given = cache.getOrSet('aborted', old, { signal: abort.signal });
  abort.abort(new Error('enough'));
  await t.rejects(given, { message: 'enough' });
  t.equal(await cache.getOrSet('aborted', () => 'newer'), 'newer');
  const waiting = cache.getOrSet('sync', old);
  t.equal(
    cache.getOrSetSync('sync', () => 'newer'),
    'newer',
  );
  gone.open();
  t.equal(await waiting, 'older');
  t.same(cache.getMany(['aborted', 'sync']), ['newer', 'newer']);
});

t.test('a load that goes on beside one that has ended is overtaken too', async (t) => {
  const cache = withCache<string>(t);
  const [first, second, ended] = [gate(), gate(), gate()];
  const abort = new AbortController();
  const given = cache.getOrSet(
    'k',
    async () => {
      await first.promise;
      // Its lease is given back in the turn after this.
      setImmediate(ended.open);
      return 'given up';
    },
    { signal: abort.signal },
  );
  abort.abort(new Error('enough'));
  await t.rejects(given, { message: 'enough' });
  // Nobody joins a load whose callers have left; it has the lease for as long as it runs.
  const beside = cache.getOrSet('k', async () => {
    await second.promise;
    return 'older';
  });
  first.open();
  await ended.promise;
  cache.put('k', 'newer');
  second.open();
  t.equal(await beside, 'older');
  t.equal(cache.get('k'), 'newer');
});

t.test('a load in a namespace is overtaken by its clear, and by that around it', async (t) => {
  const cache = withCache<unknown>(t);
  const outer = cache.namespace('outer');
  const inner = outer.namespace('inner');
  for (const space of [inner, outer]) {
    t.equal(
      inner.getOrSetSync('k', () => {
        space.clear();
        return 'old';
      }),
      'old',
    );
    t.equal(inner.get('k'), undefined);
  }
  t.equal(
    inner.getOrSetSync('k', () => {
      cache.namespace('inner').clear();
      cache.delete('k');
      outer.put('k', 1);
      return 'stays';
    }),
    'stays',
  );
  t.equal(inner.get('k'), 'stays', 'others’ keys and clears are none of its');
});

t.test('a signal that aborts in the loader’s first part', async (t) => {
  const cache = withCache<number>(t);
  const controller = new AbortController();
  const reason = new Error('enough');
  const never = new Promise<number>(() => {});
  await t.rejects(
    cache.getOrSet(
      'k',
      () => {
        controller.abort(reason);
        return never;
      },
      { signal: controller.signal },
    ),
    { message: 'enough' },
  );
  await t.rejects(
    cache.getOrSet('k', () => 1, { signal: controller.signal }),
    { message: 'enough' },
  );
});

t.test('the loader’s signal aborts when the last caller has', async (t) => {
  const cache = withCache<number>(t);
  const controllers = [new AbortController(), new AbortController()];
  let signal: AbortSignal | undefined;
  const calls = controllers.map((controller) =>
    cache.getOrSet(
      'k',
      (_, context) => {
        signal = context.signal;
        return new Promise((_, reject) =>
          context.signal.addEventListener('abort', () => reject(context.signal.reason)),
        );
      },
      { signal: controller.signal },
    ),
  );
  controllers[0].abort(new Error('first'));
  await t.rejects(calls[0], { message: 'first' });
  t.equal(signal?.aborted, false);
  controllers[1].abort(new Error('second'));
  await t.rejects(calls[1], { message: 'second' });
  t.equal(signal?.aborted, true);
  t.equal(await cache.getOrSet('k', () => 5), 5, 'the next one loads');
});

t.test('many callers with one signal', async (t) => {
  const cache = withCache<number>(t);
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warn);
  const { signal } = new AbortController();
  const opened = gate<number>();
  const calls = Array.from({ length: 200 }, (_, i) => cache.getOrSet(`k${i % 3}`, () => opened.promise, { signal }));
  await new Promise((resolve) => setImmediate(resolve));
  opened.open(1);
  t.ok((await Promise.all(calls)).every((value) => value === 1));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', warn);
  t.same(warnings, []);
});

t.test('a loader that closes the cache', async (t) => {
  for (const close of ['async', 'sync'] as const) {
    const cache = newCache<number>({ maxBytes: '4MB' });
    const other = SharedCache.attach<number>(cache.handle);
    const load = (): number => {
      cache.close();
      return 1;
    };
    if (close === 'async') await t.rejects(cache.getOrSet('k', load), { code: 'ERR_CLOSED' });
    else t.throws(() => cache.getOrSetSync('k', load), { code: 'ERR_CLOSED' });
    t.equal(other.get('k'), undefined);
    t.equal(await other.getOrSet('k', () => 2), 2, 'and its lease is free');
    other.close();
  }
});

t.test('a thread that stands still does not keep its load for ever', async (t) => {
  const cache = withCache<number>(t);
  const worker = new Worker(new URL('../fixtures/standstill.js', import.meta.url), {
    execArgv: [],
    workerData: cache.handle,
  });
  await once(worker, 'message');
  const [value, sync] = [cache.getOrSet('async', () => 1), cache.getOrSetSync('sync', () => 2)];
  t.equal(sync, 2);
  t.equal(await value, 1);
  await worker.terminate();
});

t.test('objects and namespaces of one thread share a load', async (t) => {
  const cache = withCache<number>(t);
  const second = SharedCache.attach<number>(cache.handle);
  const opened = gate<number>();
  let loads = 0;
  const load = (): Promise<number> => {
    loads++;
    return opened.promise;
  };
  const calls = [cache, second].map((each) => each.getOrSet('k', load));
  const inside = [cache.namespace('n'), second.namespace('n')].map((each) => each.getOrSet('k', load));
  opened.open(7);
  t.same(await Promise.all([...calls, ...inside]), [7, 7, 7, 7]);
  t.equal(loads, 2);
  second.close();
});
