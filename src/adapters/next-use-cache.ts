import { type Keys, short, ttlFrom } from './keyspace.js';
import { cacheOf, type NextHandlerOptions, NextTags, now } from './next-tags.js';

/** An entry of a function with 'use cache'. Durations are in seconds. */
export interface NextUseCacheEntry {
  value: ReadableStream<Uint8Array>;
  tags: string[];
  stale: number;
  /** ms since 1970: when the function was called. */
  timestamp: number;
  expire: number;
  revalidate: number;
}

/** What Next wants of a handler of its `cacheHandlers`: `updateTags` is Next 16's, `expireTags` Next 15's. */
export interface NextUseCacheHandler {
  get(cacheKey: string, softTags: string[]): Promise<NextUseCacheEntry | undefined>;
  set(cacheKey: string, pendingEntry: Promise<NextUseCacheEntry>): Promise<void>;
  refreshTags(): Promise<void>;
  getExpiration(): Promise<number>;
  updateTags(tags: string[], durations?: { expire?: number }): Promise<void>;
  expireTags(...tags: string[]): Promise<void>;
}

/**
 * The object that a file named in `cacheHandlers` of Next.js 15 and 16 exports as default, for functions with 'use cache':
 * `export default nextUseCacheHandler({ path: '/dev/shm/site' })`. It may have the path of the `cacheHandler`. All processes
 * share the results, a revalidated tag or path counts for all of them at once, and a restart finds what was there. A result
 * is kept until its `expire` and, when it is past its `revalidate` or its tag is stale, used while it is made anew.
 *
 * A result that is too large for the cache is made anew each time, as is one whose stream fails. Who asks while a result is
 * made waits for it in the same process; another process makes it too.
 */
export function nextUseCacheHandler(options: NextHandlerOptions): NextUseCacheHandler {
  type Result = Omit<NextUseCacheEntry, 'value'> & { value: Buffer };
  const cache = cacheOf(options) as Keys<Result>;
  const tags = new NextTags(cache);
  const pending = new Map<string, Promise<void>>();

  async function store(name: string, pendingEntry: Promise<NextUseCacheEntry>): Promise<void> {
    const entry = await pendingEntry.catch(() => undefined);
    const value = entry && (await bytesOf(entry.value, cache.maxEntryBytes));
    if (value === undefined) {
      cache.delete(name);
      return;
    }
    const { tags, stale, timestamp, expire, revalidate } = entry as NextUseCacheEntry;
    const ttl = ttlFrom(timestamp + expire * 1_000 - now(), Number.POSITIVE_INFINITY);
    cache.put(name, { value, tags, stale, timestamp, expire, revalidate }, { ttl });
  }

  return {
    async get(cacheKey, softTags) {
      const name = short(`use ${cacheKey}`);
      await pending.get(name);
      const result = cache.get(name);
      if (result === undefined) return undefined;
      const state = tags.stateOf([...result.tags, ...softTags], result.timestamp);
      if (state === 'expired') return undefined;
      const { value, ...rest } = result;
      return { ...rest, ...(state === 'stale' && { revalidate: -1 }), value: streamOf(value) };
    },

    async set(cacheKey, pendingEntry) {
      const name = short(`use ${cacheKey}`);
      const storing = store(name, pendingEntry);
      pending.set(name, storing);
      try {
        await storing;
      } finally {
        if (pending.get(name) === storing) pending.delete(name);
      }
    },

    /** The stamps of the tags are read where they are, at every get. */
    async refreshTags() {},

    /** Next then gives the soft tags to `get`. */
    async getExpiration() {
      return Number.POSITIVE_INFINITY;
    },

    async updateTags(names, durations) {
      tags.revalidate(names, durations);
    },

    async expireTags(...names) {
      tags.revalidate(names);
    },
  };
}

/** All that the stream delivers; undefined when that is more than fits, or the stream fails. */
async function bytesOf(stream: ReadableStream<Uint8Array>, most: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      bytes += chunk.byteLength;
      if (bytes > most) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (bytes.byteLength > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}
