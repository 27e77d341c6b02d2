/**
 * What the types of the public names promise, checked by the compiler alone: this file is built, never run. Each
 * `@ts-expect-error` is an error the user must get; the build fails when one is missing.
 */
import {
  CachePool,
  type CacheStats,
  type Codec,
  type ErrorCode,
  SharedCache,
  type SharedCacheHandle,
  type SharedMonitor,
  type TaskContext,
} from '../../src/index.js';

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
  const untyped = new SharedCache().get('key');
  same<typeof untyped, unknown>(true);
  cache.putMany(new Map([['a', { name: 'Ann' }]]));
}

export function errors(cache: SharedCache<User>, codec: Codec): void {
  // @ts-expect-error: another type of value
  cache.put('key', 5);
  // @ts-expect-error: a key is a string
  cache.get(5);
  // @ts-expect-error: times are numbers of milliseconds
  cache.put('key', { name: 'Ann' }, { ttl: '5s' });
  // @ts-expect-error: no such policy
  new SharedCache({ eviction: 'random' });
  // @ts-expect-error: a misspelt option
  new SharedCache({ maxSize: 5 });
  // @ts-expect-error: a loader that must be synchronous
  cache.getOrSetSync('key', async () => ({ name: 'Ann' }));
  // @ts-expect-error: size is counted, not set
  cache.size = 5;
  // @ts-expect-error: no such code
  const code: ErrorCode = 'ERR_SOMETHING';
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
  // @ts-expect-error: a pool has a cache
  new CachePool({ filename: 'task.js' });
}
