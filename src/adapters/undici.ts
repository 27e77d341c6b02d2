import { Writable } from 'node:stream';
import type { cacheStores } from 'undici';
import { type Keys, short, ttlFrom } from './keyspace.js';

type Store = InstanceType<typeof cacheStores.MemoryCacheStore>;
type Request = Parameters<Store['get']>[0];
type Answer = Parameters<Store['createWriteStream']>[1];
type Found = NonNullable<Awaited<ReturnType<Store['get']>>>;

/** What undici's cache interceptor wants of a store. */
export interface UndiciStore {
  get(request: Request): Found | undefined;
  createWriteStream(request: Request, answer: Answer): Writable;
  delete(request: Pick<Request, 'origin' | 'path'>): void;
}

/** Sets of header names that answers of one method and URL vary by, each sorted and joined. */
type Varies = string[];

/** A server may vary by ever other headers: of more sets than these the oldest is forgotten. */
const MOST_VARIES = 8;

/**
 * A store for the cache interceptor of [undici](https://undici.nodejs.org) 7 and 8, and so for `fetch` through it:
 * `new Agent().compose(interceptors.cache({ store: undiciStore(cache) }))`. All threads share the answers. One whose body
 * is too large for the cache (`cache.maxEntryBytes`) is passed on and not kept. An unsafe request ends all answers of its URL.
 */
export function undiciStore(cache: Keys): UndiciStore {
  return {
    get(request) {
      // An access, so that the list is not evicted before its answers.
      const varies = cache.get(nameOf(request)) as Varies | undefined;
      for (const names of varies ?? []) {
        const found = cache.get(nameOf(request, names)) as Found | undefined;
        if (found !== undefined) return found;
      }
      return undefined;
    },

    createWriteStream(request, answer) {
      const chunks: Buffer[] = [];
      let bytes = 0;
      return new Writable({
        write(chunk: Buffer | string, encoding, callback) {
          const buffer = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk);
          bytes += buffer.length;
          // undici goes on without a stream that was destroyed.
          if (bytes > cache.maxEntryBytes) this.destroy();
          else chunks.push(buffer);
          callback();
        },
        final(callback) {
          store(cache, request, { ...answer, body: [Buffer.concat(chunks)] } as Found);
          callback();
        },
      });
    },

    delete(request) {
      cache.invalidateTags(urlOf(request));
    },
  };
}

function store(cache: Keys, request: Request, found: Found): void {
  const ttl = ttlFrom(found.deleteAt - Date.now(), 0);
  const tags = [urlOf(request)];
  const names = Object.keys(found.vary ?? {})
    .sort()
    .join();
  if (!cache.put(nameOf(request, names), found, { ttl, tags })) return;
  // The newest set first: it is what the server says now.
  const merge = (old: unknown): Varies =>
    [names, ...((old as Varies | undefined) ?? []).filter((other) => other !== names)].slice(0, MOST_VARIES);
  // The list must outlive the longest of its answers; without it they are not found.
  const left = cache.expiresIn(nameOf(request)) ?? 0;
  cache.update(nameOf(request), merge, { ttl: Math.max(left, ttl), tags });
}

function urlOf({ origin, path }: Pick<Request, 'origin' | 'path'>): string {
  return short(`${origin}${path}`);
}

/** The key of the list of sets; with a set, of the answer to a request with these headers. */
function nameOf(request: Request, names?: string): string {
  const method = `${request.method} ${request.origin}${request.path}`;
  if (names === undefined) return short(method);
  const values = names === '' ? [] : names.split(',').map((name) => [name, request.headers?.[name] ?? null]);
  return short(`${method} ${JSON.stringify(values)}`);
}
