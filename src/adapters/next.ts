import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Keys, short, ttlFrom } from './keyspace.js';
import { cacheOf, type NextHandlerOptions, NextTags, now } from './next-tags.js';

export type { NextHandlerOptions } from './next-tags.js';
export { type NextUseCacheEntry, type NextUseCacheHandler, nextUseCacheHandler } from './next-use-cache.js';

/** How long Next may use a response, in seconds. */
export interface NextCacheControl {
  revalidate: number | false;
  expire?: number | undefined;
}

/** What Next keeps: a page, a route handler's response, a fetch, an image. */
export interface NextCachedValue {
  kind: string;
  headers?: Readonly<Record<string, unknown>> | undefined;
  [part: string]: unknown;
}

/** What `get` of the `cacheHandler` gives. */
export interface NextCacheHandlerValue {
  lastModified: number;
  /** null: there is no such page. */
  value: NextCachedValue | null;
  cacheControl?: NextCacheControl;
}

/** What the `cacheHandler` is made with, for each request. */
export interface NextHandlerContext {
  /** Where the build is. */
  serverDistDir?: string | undefined;
  [setting: string]: unknown;
}

/** What Next says about a `get`. */
export interface NextGetContext {
  kind?: string | undefined;
  tags?: readonly string[] | undefined;
  softTags?: readonly string[] | undefined;
  isFallback?: boolean | undefined;
}

/** What Next says about a `set`. */
export interface NextSetContext {
  fetchCache?: boolean | undefined;
  tags?: readonly string[] | undefined;
  cacheControl?: NextCacheControl | undefined;
}

/** What Next wants of an instance of its `cacheHandler`. */
export interface NextCacheHandler {
  get(key: string, context: NextGetContext): Promise<NextCacheHandlerValue | null>;
  set(key: string, value: NextCachedValue | null, context: NextSetContext): Promise<void>;
  revalidateTag(tags: string | string[], durations?: { expire?: number }): Promise<void>;
  resetRequestCache(): void;
}

interface Kept extends NextCacheHandlerValue {
  tags: readonly string[];
  /** When Next asked for it, before it made it: a revalidation after that ends it. */
  madeAt: number;
}

/** Of what `next build` leaves: its name, and Next's own handler, which reads the pages in it. */
interface Build {
  name: string;
  Reader: (new (context: NextHandlerContext) => Pick<NextCacheHandler, 'get'>) | undefined;
}

/**
 * The class that the file named by `cacheHandler` of [Next.js](https://nextjs.org) 15 and 16 exports as default:
 * `export default nextCacheHandler({ path: '/dev/shm/site' })`. All processes that serve share pages, responses of route
 * handlers, what `fetch` and `unstable_cache` keep, and with `images.customCacheHandler` of Next 16 images. A revalidated tag
 * or path counts for all of them at once, and a restart finds what was there. Pages and responses are those of one build, the
 * rest outlives it. What was under way when its tag was revalidated is not used after it.
 *
 * A page that is not in the cache is the one that the build rendered, where there is one. A value that is too large for the
 * cache is made anew each time. Next joins the requests of one process for a page; two processes may render it at once.
 * Next 15 sends no Cache-Control with a page that another process rendered. Of `next dev` only fetches are kept.
 */
export function nextCacheHandler(options: NextHandlerOptions): new (context?: NextHandlerContext) => NextCacheHandler {
  const cache = cacheOf(options) as Keys<Kept>;
  const tags = new NextTags(cache);
  const builds = new Map<string, Build>();

  return class implements NextCacheHandler {
    readonly #context: NextHandlerContext;
    readonly #build: Build | undefined;
    /** Next makes an instance for each request, but one for all images. */
    readonly #askedAt = new Map<string, number>();

    constructor(context: NextHandlerContext = {}) {
      this.#context = context;
      this.#build = buildOf(context, builds);
    }

    async get(key: string, context: NextGetContext): Promise<NextCacheHandlerValue | null> {
      const name = this.#nameOf(key, context.kind);
      if (name === undefined) return null;
      if (context.kind !== 'IMAGE') this.#askedAt.set(name, now());
      const kept = cache.get(name) ?? (await this.#rendered(name, key, context));
      if (kept === undefined) return null;
      const asked = [...kept.tags, ...(context.tags ?? []), ...(context.softTags ?? [])];
      const state = tags.stateOf(asked, kept.madeAt);
      if (state === 'expired') return null;
      const { value, lastModified, cacheControl } = kept;
      if (context.kind === 'FETCH') {
        return { value, lastModified: state === 'stale' ? Number.NEGATIVE_INFINITY : lastModified };
      }
      if (state === 'stale') return { value, ...staleNow(cacheControl) };
      return { value, ...(cacheControl === undefined ? { lastModified } : ageOf(lastModified, cacheControl)) };
    }

    async set(key: string, value: NextCachedValue | null, context: NextSetContext): Promise<void> {
      const name = this.#nameOf(key, context.fetchCache ? 'FETCH' : value?.kind);
      if (name === undefined) return;
      const { cacheControl } = context;
      const kept: Kept = {
        value,
        lastModified: now(),
        madeAt: this.#askedAt.get(name) ?? now(),
        tags: context.tags ?? tagsOf(value),
        ...(cacheControl && { cacheControl }),
      };
      cache.put(name, kept, { ttl: lifetimeOf(cacheControl) });
    }

    async revalidateTag(names: string | string[], durations?: { expire?: number }): Promise<void> {
      tags.revalidate(typeof names === 'string' ? [names] : names, durations);
    }

    resetRequestCache(): void {}

    /** Undefined for a page of a build that has no name yet. */
    #nameOf(key: string, kind: string | undefined): string | undefined {
      if (kind === 'FETCH' || kind === 'IMAGE') return short(`${kind} ${key}`);
      return this.#build && short(`page ${this.#build.name} ${key}`);
    }

    /** What the build rendered, which is kept from now on. */
    async #rendered(name: string, key: string, context: NextGetContext): Promise<Kept | undefined> {
      const Reader = this.#build?.Reader;
      if (Reader === undefined || context.kind === 'FETCH' || context.kind === 'IMAGE') return undefined;
      const settings = { ...this.#context, flushToDisk: false, maxMemoryCacheSize: 0 };
      const found = await new Reader(settings).get(key, context);
      if (found === null) return undefined;
      const kept: Kept = { ...found, madeAt: found.lastModified, tags: tagsOf(found.value) };
      // Next reads less of a page when it asks for the shell that it begins with.
      if (!context.isFallback) cache.putIfAbsent(name, kept, { ttl: lifetimeOf(found.cacheControl) });
      return kept;
    }
  };
}

/** Undefined while `next build` has not given it a name. */
function buildOf(context: NextHandlerContext, known: Map<string, Build>): Build | undefined {
  const { serverDistDir: folder } = context;
  if (folder === undefined) return { name: '', Reader: undefined };
  let build = known.get(folder);
  if (build === undefined) {
    const name = attempt(() => readFileSync(join(folder, '..', 'BUILD_ID'), 'utf8'));
    if (name === undefined) return undefined;
    build = { name, Reader: readerOf(folder) };
    known.set(folder, build);
  }
  return build;
}

/** Only Next knows how the files of its build are laid out; a Next that has this no longer renders pages anew. */
function readerOf(folder: string): Build['Reader'] {
  const handler = 'next/dist/server/lib/incremental-cache/file-system-cache';
  return attempt(() => (createRequire(join(folder, 'server.js'))(handler) as { default: Build['Reader'] }).default);
}

function attempt<T>(what: () => T): T | undefined {
  try {
    return what();
  } catch {
    return undefined;
  }
}

/** Next names the tags of a response in a header. */
function tagsOf(value: NextCachedValue | null): readonly string[] {
  const header = value?.headers?.['x-next-cache-tags'];
  return typeof header === 'string' ? header.split(',') : [];
}

function lifetimeOf(cacheControl: NextCacheControl | undefined): number {
  return ttlFrom((cacheControl?.expire ?? Number.POSITIVE_INFINITY) * 1_000, Number.POSITIVE_INFINITY);
}

/**
 * Next 15 takes a page that another process made for one that may be used for a second. So one that is not yet due is told
 * to be new, whatever Next thinks of how long that is.
 */
function ageOf(lastModified: number, cacheControl: NextCacheControl): Omit<NextCacheHandlerValue, 'value'> {
  const { revalidate } = cacheControl;
  const isDue = revalidate !== false && lastModified + revalidate * 1_000 < now();
  return { lastModified: isDue ? lastModified : now(), cacheControl };
}

/** Next has no word for a page that is stale before its time: it is told to be just past it. */
function staleNow(cacheControl?: NextCacheControl): Omit<NextCacheHandlerValue, 'value'> {
  const revalidate = cacheControl?.revalidate || 1;
  return { lastModified: now() - revalidate * 1_000 - 1, cacheControl: { ...cacheControl, revalidate } };
}
