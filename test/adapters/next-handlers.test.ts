/** The handlers for Next as Next calls them, without Next: next.test.ts has the real one. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import {
  type NextCachedValue,
  type NextCacheHandler,
  type NextUseCacheEntry,
  nextCacheHandler,
  nextUseCacheHandler,
} from '../../src/adapters/next.js';
import { SharedCache } from '../../src/index.js';
import { withCache } from '../fixtures/with-cache.js';

const PAGE = { kind: 'APP_PAGE' };
const LONG_LIFE = { cacheControl: { revalidate: 3_600, expire: 86_400 } };

function page(html: string, ...tags: string[]): NextCachedValue {
  return { kind: 'APP_PAGE', html, headers: { 'x-next-cache-tags': tags.join() } };
}

const fetched: NextCachedValue = {
  kind: 'FETCH',
  data: { body: 'body', headers: {}, url: 'http://a/' },
  revalidate: 60,
};

/** A handler for one request. */
function request(cache: SharedCache): NextCacheHandler {
  const Handler = nextCacheHandler({ cache });
  return new Handler();
}

function entry(value: string | ReadableStream<Uint8Array>, more: Partial<NextUseCacheEntry> = {}): NextUseCacheEntry {
  const timestamp = performance.timeOrigin + performance.now();
  const stream = typeof value === 'string' ? (new Blob([value]).stream() as ReadableStream<Uint8Array>) : value;
  return { value: stream, tags: [], stale: 1, timestamp, expire: 3_600, revalidate: 60, ...more };
}

async function textOf(found: NextUseCacheEntry | undefined): Promise<string | undefined> {
  return found && (await new Response(found.value).text());
}

/** Waits until the promise it gives is one of nothing. */
async function gone(ask: () => Promise<unknown>): Promise<boolean> {
  for (const end = Date.now() + 5_000; Date.now() < end; await delay(5)) if ((await ask()) == null) return true;
  return false;
}

t.test('what Next keeps comes back as it was', async (t) => {
  const cache = withCache(t);
  const values: NextCachedValue[] = [
    {
      kind: 'APP_PAGE',
      html: '<h1>',
      rscData: Buffer.from([0, 255]),
      segmentData: new Map([['/_tree', Buffer.from([128])]]),
      headers: { 'x-next-cache-tags': 'a' },
      postponed: undefined,
      status: 200,
    },
    { kind: 'APP_ROUTE', body: Buffer.from([0, 255]), status: 200, headers: { 'content-type': 'a/b' } },
    { kind: 'PAGES', html: '<h1>', pageData: { a: [1] }, headers: undefined, status: undefined },
  ];
  for (const value of values) {
    await request(cache).set(`/${value.kind}`, value, LONG_LIFE);
    const found = await request(cache).get(`/${value.kind}`, { kind: value.kind });
    t.strictSame(found?.value, value);
    t.strictSame(found?.cacheControl, LONG_LIFE.cacheControl);
  }
  const read = (await request(cache).get('/APP_PAGE', PAGE))?.value as {
    rscData?: unknown;
    segmentData?: Map<string, unknown>;
  } | null;
  t.ok(Buffer.isBuffer(read?.rscData) && Buffer.isBuffer(read.segmentData?.get('/_tree')));

  const image: NextCachedValue = {
    kind: 'IMAGE',
    buffer: Buffer.from([1]),
    etag: 'e',
    extension: 'webp',
    revalidate: 60,
  };
  await request(cache).set('image', image, LONG_LIFE);
  t.strictSame((await request(cache).get('image', { kind: 'IMAGE' }))?.value, image);
  await request(cache).set('fetch', fetched, { fetchCache: true });
  t.strictSame((await request(cache).get('fetch', { kind: 'FETCH' }))?.value, fetched);
  await request(cache).set('/none', null, {});
  t.strictSame((await request(cache).get('/none', PAGE))?.value, null, 'a page that is known not to be there');
  t.equal(await request(cache).get('/absent', PAGE), null);
  request(cache).resetRequestCache();
});

t.test('what is too large is a miss, and no error', async (t) => {
  const cache = withCache(t);
  await request(cache).set('/p', page('small'), LONG_LIFE);
  await request(cache).set('/p', page('x'.repeat(8_000_000)), LONG_LIFE);
  t.equal(await request(cache).get('/p', PAGE), null, 'nor is the page before it used');
  await request(cache).set('f', { ...fetched, data: 'x'.repeat(8_000_000) }, { fetchCache: true });
  t.equal(await request(cache).get('f', { kind: 'FETCH' }), null);
  await request(cache).set(`/${'x'.repeat(100_000)}`, page('long'), LONG_LIFE);
  t.match(
    await request(cache).get(`/${'x'.repeat(100_000)}`, PAGE),
    { value: { html: 'long' } },
    'but any key is kept',
  );
});

t.test('a revalidated tag ends what has it', async (t) => {
  const cache = withCache(t);
  for (const id of [1, 2]) await request(cache).set(`/${id}`, page('html', 'all', `page-${id}`), LONG_LIFE);
  await request(cache).revalidateTag('page-1');
  t.equal(await request(cache).get('/1', PAGE), null);
  t.ok(await request(cache).get('/2', PAGE));
  await request(cache).set('/1', page('html', 'all', 'page-1'), LONG_LIFE);
  t.ok(await request(cache).get('/1', PAGE), 'what is made after it is used');
  await request(cache).revalidateTag(['other', 'all']);
  t.equal(await request(cache).get('/1', PAGE), null);
  t.equal(await request(cache).get('/2', PAGE), null);

  await request(cache).set('f', fetched, { fetchCache: true, tags: ['data'] });
  const ask = (softTags: string[], tags: string[] = []): Promise<unknown> =>
    request(cache).get('f', { kind: 'FETCH', tags, softTags });
  t.ok(await ask(['_N_T_/page']));
  await request(cache).revalidateTag('_N_T_/page');
  t.equal(await ask(['_N_T_/page']), null, 'the tags of whoever asks');
  t.ok(await ask(['_N_T_/other']));
  await request(cache).revalidateTag('asked');
  t.equal(await ask([], ['asked']), null);
  t.ok(await ask([]));
  await request(cache).revalidateTag('data');
  t.equal(await ask([]), null, 'the tags it was kept with');
});

t.test('what was under way when its tag was revalidated is not used', async (t) => {
  const cache = withCache(t);
  const slow = request(cache);
  t.equal(await slow.get('/p', PAGE), null);
  await request(cache).revalidateTag('tag');
  await slow.set('/p', page('old', 'tag'), LONG_LIFE);
  t.equal(await request(cache).get('/p', PAGE), null);
});

t.test('a tag with durations: stale at first, over at the end', async (t) => {
  const cache = withCache(t);
  const fill = async (): Promise<void> => {
    await request(cache).set('/p', page('html', 'tag'), LONG_LIFE);
    await request(cache).set('/static', page('html', 'tag'), { cacheControl: { revalidate: false } });
    await request(cache).set('f', fetched, { fetchCache: true, tags: ['tag'] });
  };
  const ask = (key: string): ReturnType<NextCacheHandler['get']> =>
    request(cache).get(key, { kind: key === 'f' ? 'FETCH' : 'APP_PAGE' });
  /** Whether Next takes it for stale, by the times it is told. */
  const isStale = async (key: string): Promise<boolean | undefined> => {
    const found = await ask(key);
    if (found === null) return undefined;
    const revalidate = key === 'f' ? 60 : found.cacheControl?.revalidate;
    return typeof revalidate === 'number' && found.lastModified + revalidate * 1_000 < Date.now();
  };
  const states = async (): Promise<unknown> => [await isStale('/p'), await isStale('/static'), await isStale('f')];

  await fill();
  t.strictSame(await states(), [false, false, false]);
  await request(cache).revalidateTag('tag', { expire: 3_600 });
  t.strictSame(await states(), [true, true, true]);
  const { lastModified = 0 } = (await ask('/p')) ?? {};
  t.ok(lastModified + 86_400_000 > Date.now(), 'and not past its end');
  await fill();
  t.strictSame(await states(), [false, false, false], 'what is made after it is fresh');
  await request(cache).revalidateTag('tag', {});
  t.strictSame(await states(), [true, true, true], 'without an end');

  await fill();
  await request(cache).revalidateTag('tag', { expire: 0.05 });
  t.ok(await gone(() => ask('/p')));
  t.strictSame(await states(), [undefined, undefined, undefined]);
  await request(cache).set('/p', page('html', 'tag'), LONG_LIFE);
  t.equal(await isStale('/p'), false, 'an end that is over ends nothing more');
  await request(cache).revalidateTag('tag', { expire: 3_600 });
  t.strictSame(await states(), [true, undefined, undefined], 'and what it has ended is not stale again');
  await fill();
  await request(cache).revalidateTag('tag', { expire: 0.05 });
  await request(cache).revalidateTag('tag', { expire: 3_600 });
  t.ok(await gone(() => ask('/p')), 'the earlier end counts');
  await fill();
  await request(cache).set('/p', page('html', 'tag'), LONG_LIFE);
  await request(cache).revalidateTag('tag', { expire: 0 });
  t.strictSame(await states(), [undefined, undefined, undefined], 'no time is at once');
});

t.test('a page is as old as its lifetime says, whichever process made it', async (t) => {
  const cache = withCache(t);
  await request(cache).set('/p', page('html'), { cacheControl: { revalidate: 0.05, expire: 3_600 } });
  const [{ lastModified = 0 } = {}] = [(await request(cache).get('/p', PAGE)) ?? {}];
  await delay(1);
  const later = await request(cache).get('/p', PAGE);
  t.ok((later?.lastModified ?? 0) > lastModified, 'told to be new while it may be used');
  t.ok(await gone(async () => ((await request(cache).get('/p', PAGE))?.lastModified ?? 0) > Date.now() - 25 || null));
  await request(cache).set('/p', page('html'), { cacheControl: { revalidate: 0.01, expire: 0.05 } });
  t.ok(await gone(() => request(cache).get('/p', PAGE)), 'and kept until it expires');
});

t.test('pages are those of one build', async (t) => {
  const cache = withCache(t);
  const folder = t.testdir({ a: { BUILD_ID: 'a', server: {} }, b: { BUILD_ID: 'b', server: {} }, c: { server: {} } });
  const Handler = nextCacheHandler({ cache });
  const [a, b, c] = ['a', 'b', 'c'].map((name) => new Handler({ serverDistDir: join(folder, name, 'server') }));
  for (const build of [c, a]) await build.set('/p', page('html'), LONG_LIFE);
  t.ok(await a.get('/p', PAGE));
  t.equal(await b.get('/p', PAGE), null);
  t.equal(await c.get('/p', PAGE), null, 'nothing is kept of a build without a name');
  await a.set('f', fetched, { fetchCache: true });
  t.ok(await b.get('f', { kind: 'FETCH' }), 'fetches outlive a build');
});

t.test('what the build rendered', async (t) => {
  const cache = withCache(t);
  const reader = `exports.default = class {
    constructor({ flushToDisk, maxMemoryCacheSize }) {
      this.plain = !flushToDisk && !maxMemoryCacheSize;
    }
    async get(key, { isFallback, kind }) {
      exports.reads = (exports.reads ?? 0) + 1;
      if (key === '/none') return null;
      const headers = { 'x-next-cache-tags': 'tag,shell' };
      return { lastModified: this.plain && ${Date.now() - 5_000}, value: { kind, html: 'built', headers, isFallback } };
    }
  };`;
  const folder = t.testdir({
    '.next': { BUILD_ID: 'a', server: {} },
    node_modules: {
      next: { dist: { server: { lib: { 'incremental-cache': { 'file-system-cache.js': reader } } } } },
    },
  });
  const serverDistDir = join(folder, '.next/server');
  const Handler = nextCacheHandler({ cache });
  const ask = (key: string, isFallback = false, kind = 'APP_PAGE'): ReturnType<NextCacheHandler['get']> =>
    new Handler({ serverDistDir, flushToDisk: true, maxMemoryCacheSize: 1 }).get(key, { kind, isFallback });

  for (let i = 0; i < 2; i++) {
    t.match(await ask('/p'), { value: { html: 'built' } });
    t.match(await ask('/shell', true), { value: { isFallback: true } });
    t.equal(await ask('/none'), null);
    t.equal(await ask('/p', false, 'FETCH'), null);
    t.equal(await ask('/p', false, 'IMAGE'), null);
  }
  t.match(await ask('/shell'), { value: { isFallback: false } }, 'a shell is less than the page');
  t.ok(
    ((await ask('/p'))?.lastModified ?? 0) < Date.now() - 4_000,
    'as old as it is: Next knows how long it may be used',
  );
  const { reads } = createRequire(serverDistDir)('next/dist/server/lib/incremental-cache/file-system-cache');
  t.equal(reads, 1 + 2 + 2 + 1, 'a page is read once');

  await new Handler().revalidateTag('tag', { expire: 3_600 });
  const { lastModified = 0, cacheControl } = (await ask('/p')) ?? {};
  t.ok(typeof cacheControl?.revalidate === 'number' && lastModified + cacheControl.revalidate * 1_000 < Date.now());
  await new Handler().revalidateTag('tag');
  t.equal(await ask('/p'), null);
  t.equal(await ask('/q'), null, 'nor what was not read before');
  await new Handler({ serverDistDir }).set('/p', page('new', 'tag'), LONG_LIFE);
  t.match(await ask('/p'), { value: { html: 'new' } });

  const other = withCache(t);
  other.put('entry', 1);
  const Filled = nextCacheHandler({ cache: other });
  t.equal(await new Filled({ serverDistDir }).get('/p', PAGE), null, 'stamps that may have been lost count');
});

t.test("'use cache'", async (t) => {
  const cache = withCache(t);
  const [one, two] = [nextUseCacheHandler({ cache }), nextUseCacheHandler({ cache })];
  const keep = (value: Parameters<typeof entry>[0], more?: Partial<NextUseCacheEntry>): Promise<void> =>
    one.set('k', Promise.resolve(entry(value, more)));
  t.equal(await one.get('k', []), undefined);
  await one.refreshTags();
  t.equal(await one.getExpiration(), Number.POSITIVE_INFINITY, 'soft tags are checked by get');

  const chunks = ['a', 'b', 'ü'].map((text) => new TextEncoder().encode(text));
  await keep(ReadableStream.from(chunks) as ReadableStream<Uint8Array>, { tags: ['tag'] });
  const found = await two.get('k', ['soft']);
  t.match(found, { tags: ['tag'], stale: 1, expire: 3_600, revalidate: 60 });
  t.equal(await textOf(found), 'abü');
  t.equal(await textOf(await one.get('k', [])), 'abü', 'a stream of its own for each');
  await keep('');
  t.equal(await textOf(await two.get('k', [])), '');

  let finish: (entry: NextUseCacheEntry) => void = () => {};
  const pending = new Promise<NextUseCacheEntry>((resolve) => {
    finish = resolve;
  });
  const setting = one.set('k', pending);
  const waiting = one.get('k', []);
  finish(entry('later', { tags: ['tag'] }));
  t.equal(await textOf(await waiting), 'later', 'a get waits for the set before it');
  await setting;

  await two.updateTags(['soft', 'none']);
  t.equal(await one.get('k', ['soft']), undefined);
  t.ok(await one.get('k', []));
  await two.updateTags(['tag'], { expire: 3_600 });
  t.match(await one.get('k', []), { revalidate: -1 }, 'stale: Next makes it anew behind the answer');
  await two.expireTags('none', 'tag');
  t.equal(await one.get('k', []), undefined);
  await keep('early', { tags: ['tag'], timestamp: performance.timeOrigin });
  t.equal(await one.get('k', []), undefined, 'what was called before the revalidation is not used after it');

  await keep('old');
  await keep('x'.repeat(8_000_000));
  t.equal(await one.get('k', []), undefined, 'what is too large is a miss');
  await keep(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1_000_000)) }));
  t.equal(await one.get('k', []), undefined, 'and is read no further than that');
  await keep('old');
  await keep(new ReadableStream({ start: (controller) => controller.error(new Error('broken')) }));
  t.equal(await one.get('k', []), undefined, 'as is half a result');
  await one.set('k', Promise.reject(new Error('broken')));
  t.equal(await one.get('k', []), undefined);
  await keep('short', { expire: 0.05 });
  t.ok(await gone(() => one.get('k', [])));
  await one.set('x'.repeat(100_000), Promise.resolve(entry('long')));
  t.equal(await textOf(await two.get('x'.repeat(100_000), [])), 'long');
});

t.test('stamps that were lost have ended everything', async (t) => {
  const cache = withCache(t);
  await request(cache).set('/p', page('html', 'tag'), LONG_LIFE);
  await request(cache).set('/untagged', { kind: 'PAGES', html: '' }, LONG_LIFE);
  cache.namespace('next-tags').clear();
  t.equal(await request(cache).get('/p', PAGE), null);
  t.ok(await request(cache).get('/untagged', PAGE));
  await request(cache).set('/p', page('html', 'tag'), LONG_LIFE);
  t.ok(await request(cache).get('/p', PAGE));

  const refusing = { putIfAbsent: () => false, get: () => undefined, update: () => undefined };
  const broken = { keys: () => [].values(), namespace: () => refusing } as unknown as SharedCache;
  await t.rejects(request(broken).revalidateTag('tag'), { code: 'ERR_LOCK_TIMEOUT', message: /tag/ });
});

t.test('processes that open one path', async (t) => {
  const path = join(t.testdir({}), 'site');
  const Handler = nextCacheHandler({ path, maxBytes: '4MB' });
  const useCache = nextUseCacheHandler({ path });
  await new Handler().set('/kept', page('kept', 'kept'), LONG_LIFE);
  await new Handler().set('/ended', page('ended', 'ended'), LONG_LIFE);
  await useCache.set('ended', Promise.resolve(entry('ended', { tags: ['ended'] })));
  const script = `import { nextCacheHandler, nextUseCacheHandler } from 'mooncake-cache/adapters/next';
    const path = process.argv[1];
    const Handler = nextCacheHandler({ path });
    const { value } = await new Handler().get('/kept', { kind: 'APP_PAGE' });
    await new Handler().revalidateTag('ended');
    const useCache = nextUseCacheHandler({ path });
    const again = await useCache.get('ended', []);
    console.log(value.html, again);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script, path], {
    encoding: 'utf8',
  });
  t.equal(stderr, '');
  t.equal(stdout, 'kept undefined\n');
  t.equal(await new Handler().get('/ended', PAGE), null);
  t.ok(await new Handler().get('/kept', PAGE));
  t.equal(await useCache.get('ended', []), undefined);
  t.throws(() => nextCacheHandler({ path, maxBytes: '8MB' }), { code: 'ERR_INVALID_OPTION' });
  SharedCache.remove(path);
});
