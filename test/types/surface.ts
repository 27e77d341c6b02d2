/**
 * What the types of the public names promise, checked by the compiler alone: this file is built, never run. Each
 * `@ts-expect-error` is an error the user must get; the build fails when one is missing.
 */
import {
  type AttachOptions,
  CachePool,
  type CacheStats,
  type Codec,
  type ErrorCode,
  type HotKey,
  type HottestKeys,
  type Inspection,
  type OperationSummary,
  type PerformanceMetric,
  SharedCache,
  type SharedCacheError,
  type SharedCacheHandle,
  type SharedCacheOptions,
  SharedMonitor,
  type SharedMonitorHandle,
  type TaskContext,
} from 'mooncake-cache';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(answer: Same<A, B>): Same<A, B> => answer;

interface User {
  name: string;
}

export function values(cache: SharedCache<User>, handle: SharedCacheHandle): void {
  const got = cache.get('key');
  same<typeof got, User | undefined>(true);
  const many = cache.getMany(['a', 'b'] as const);
  same<typeof many, (User | undefined)[]>(true);
  const stored = cache.put('key', { name: 'Ann' }, { ttl: 5_000 });
  same<typeof stored, boolean>(true);
  const updated = cache.update('key', (current) => current && { name: current.name });
  same<typeof updated, User | undefined>(true);
  const sum = cache.increment('n');
  same<typeof sum, number>(true);
  const loaded = cache.getOrSet('key', async (key) => ({ name: key }), { signal: new AbortController().signal });
  same<typeof loaded, Promise<User>>(true);
  const computed = cache.getOrSetSync('key', (key) => ({ name: key }));
  same<typeof computed, User>(true);
  const left = cache.expiresIn('key');
  same<typeof left, number | undefined>(true);
  for (const [key, user] of cache) {
    same<typeof key, string>(true);
    same<typeof user, User>(true);
  }
  const attached = SharedCache.attach<User>(handle);
  same<typeof attached, SharedCache<User>>(true);
  const stats = cache.getStats();
  same<typeof stats, CacheStats>(true);
  const inspection = cache.inspect();
  same<typeof inspection, Inspection>(true);
  const keys = [...cache.keys()];
  same<typeof keys, string[]>(true);
  const users = [...cache.values()];
  same<typeof users, User[]>(true);
  const peeked = cache.peek('key');
  same<typeof peeked, User | undefined>(true);
  cache.putMany(new Map([['a', { name: 'Ann' }]]));
}

/** What is not said is unknown, not any: it has to be looked at before it is used. */
export function untyped(handle: SharedCacheHandle): void {
  const got = new SharedCache().get('key');
  same<typeof got, unknown>(true);
  const attached = SharedCache.attach(handle);
  same<typeof attached, SharedCache<unknown>>(true);
  const options: AttachOptions & SharedCacheOptions = {};
  same<Parameters<typeof SharedCache.attach>[1], AttachOptions | undefined>(true);
  void options;
}

/** A cache of several kinds of values: what a loader returns must be one of them, and what comes out may be any. */
export async function several(cache: SharedCache<User | number>): Promise<void> {
  const loaded = await cache.getOrSet('key', () => 5, { ttl: 1_000, staleTtl: 1_000, timeoutMs: 50 });
  same<typeof loaded, User | number>(true);
  // @ts-expect-error: neither a user nor a number
  await cache.getOrSet('key', async () => 'Ann');
  // @ts-expect-error: such a cache gives numbers as well
  const users: SharedCache<User> = cache;
  void users;
}

export async function monitors(monitor: SharedMonitor, handle: SharedMonitorHandle): Promise<void> {
  same<typeof monitor.handle, SharedMonitorHandle>(true);
  const sum = monitor.time('add', () => 1 + 1);
  same<typeof sum, number>(true);
  const later = monitor.time('fetch', async () => ({ name: 'Ann' }));
  same<typeof later, Promise<{ name: string }>>(true);
  const summary = SharedMonitor.attach(handle).getPerformanceSummary();
  same<typeof summary, Record<string, OperationSummary>>(true);
  const recent = monitor.getRecentMetrics();
  same<typeof recent, PerformanceMetric[]>(true);
  const hottest = monitor.getHottestKeys(5);
  same<typeof hottest, HottestKeys>(true);
  same<(typeof hottest.keys)[number], HotKey>(true);
  // @ts-expect-error: whether it succeeded must be said
  monitor.recordOperation('add', 1);
}

export function errors(cache: SharedCache<User>, codec: Codec): void {
  // @ts-expect-error: another type of value
  cache.put('key', 5);
  // @ts-expect-error: a key is a string
  cache.get(5);
  // @ts-expect-error: a time is a number or a string
  cache.put('key', { name: 'Ann' }, { ttl: new Date() });
  // @ts-expect-error: no such policy
  new SharedCache({ eviction: 'random' });
  // @ts-expect-error: a misspelt option
  new SharedCache({ maxSize: 5 });
  // @ts-expect-error: a loader that must be synchronous
  cache.getOrSetSync('key', async () => ({ name: 'Ann' }));
  const untyped = new SharedCache();
  // @ts-expect-error: the same where nothing is known of the values
  untyped.getOrSetSync('key', async () => 5);
  untyped.getOrSetSync('key', () => 5);
  const maybe: { ttl?: number | undefined; tags?: string[] | undefined } = {};
  untyped.put('key', 5, maybe);
  new SharedCache({ ttl: undefined, maxEntries: undefined });
  // @ts-expect-error: size is counted, not set
  cache.size = 5;
  // @ts-expect-error: no such code
  const code: ErrorCode = 'ERR_SOMETHING';
  same<SharedCacheError['code'], ErrorCode>(true);
  // @ts-expect-error: no such option of a put
  cache.put('key', { name: 'Ann' }, { staleTtl: 5 });
  // @ts-expect-error: a loader that returns what the cache holds
  cache.getOrSetSync('key', () => 'Ann');
  // @ts-expect-error: an abort signal cannot end a wait that blocks
  cache.getOrSetSync('key', () => ({ name: 'Ann' }), { signal: new AbortController().signal });
  // @ts-expect-error: undefined is no value
  cache.put('key', undefined);
  new SharedCache({ codec, maxBytes: '64MB', monitor: { sample: 16 }, sweep: { intervalMs: 10 } });
  void code;
}

export async function pools(cache: SharedCache<User>): Promise<void> {
  const pool = new CachePool({ filename: 'task.js', cache, maxThreads: 4, idleTimeout: 100 });
  const result = await pool.run<number>('task', { signal: new AbortController().signal });
  same<typeof result, number>(true);
  same<typeof pool.cache, SharedCache<User>>(true);
  same<typeof pool.monitor, SharedMonitor | undefined>(true);
  const task = (_: string, { cache: seen, monitor }: TaskContext<User>): User | undefined => {
    monitor?.recordOperation('task', 1, true);
    return seen.get('key');
  };
  void task;
  const untyped = await pool.run('task');
  same<typeof untyped, unknown>(true);
  // @ts-expect-error: the module of the tasks is the pool's
  await pool.run('task', { filename: 'other.js' });
  // @ts-expect-error: a pool has a cache
  new CachePool({ filename: 'task.js' });
  // @ts-expect-error: a misspelt option of piscina's
  new CachePool({ filename: 'task.js', cache, maxThread: 4 });
}
