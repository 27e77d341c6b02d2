/**
 * Server-side rendering on four threads that share their rendered fragments. A fragment is rendered by one thread when it
 * is missing; when its TTL is over, everyone goes on getting the old one while one thread renders it anew.
 *
 *   node dist/examples/ssr-render-cache.js
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { SharedCache, type SharedCacheHandle } from 'mooncake-cache';

const THREADS = 4;
const PAGES = 100;
const PRODUCTS = 20;
const TTL_MS = 60_000;
/** How long after its TTL a fragment may be shown while it is rendered anew. */
const STALE_MS = 10 * 60_000;

interface Seat {
  handle: SharedCacheHandle;
  /** The edition of the catalogue that fragments are rendered from: a new one must show up on all pages in time. */
  edition: Int32Array;
}

/** What the main thread asks a worker for: pages, or pages until each shows this edition. */
type Job = { until?: number };

class Renderer {
  readonly #cache: SharedCache<string>;
  readonly #edition: Int32Array;

  constructor({ handle, edition }: Seat) {
    this.#cache = SharedCache.attach<string>(handle);
    this.#edition = edition;
  }

  async page(product: number): Promise<string> {
    // Three fragments, loaded side by side; header and footer are on every page.
    const parts = await Promise.all([
      this.#fragment('header', async () => '<header>Shop</header>'),
      this.#fragment(`product:${product}`, async () => {
        await turn();
        return `<main>Product ${product}, edition ${Atomics.load(this.#edition, 0)}</main>`;
      }),
      this.#fragment('footer', async () => '<footer>Imprint</footer>'),
    ]);
    return parts.join('');
  }

  close(): void {
    this.#cache.close();
  }

  #fragment(name: string, render: () => Promise<string>): Promise<string> {
    return this.#cache.getOrSet(`fragment:${name}`, render, { ttl: TTL_MS, staleTtl: STALE_MS });
  }
}

/** Renders all pages, again and again until they show the edition if one is given. Returns the editions that it saw. */
async function work(renderer: Renderer, { until }: Job): Promise<number[]> {
  const seen = new Set<number>();
  for (;;) {
    const pages = await Promise.all(Array.from({ length: PAGES }, (_, i) => renderer.page(i % PRODUCTS)));
    const editions = pages.map((html) => Number(/edition (\d+)/.exec(html)?.[1]));
    for (const edition of editions) seen.add(edition);
    if (until === undefined || editions.every((edition) => edition === until)) return [...seen].sort();
    await turn();
  }
}

if (isMainThread) {
  using cache = new SharedCache<string>({ maxBytes: '8MB' });
  const edition = new Int32Array(new SharedArrayBuffer(4));
  edition[0] = 1;
  const seat: Seat = { handle: cache.handle, edition };
  const workers = Array.from(
    { length: THREADS },
    () => new Worker(new URL(import.meta.url), { workerData: seat, execArgv: [] }),
  );
  const ask = (job: Job): Promise<number[][]> =>
    Promise.all(
      workers.map(async (worker) => {
        worker.postMessage(job);
        return (await once(worker, 'message'))[0] as number[];
      }),
    );

  await ask({});
  const fragments = PRODUCTS + 2;
  assert.equal(cache.getStats().loads, fragments, 'each fragment is rendered once for all threads');

  // A new edition: as long as fragments are fresh, nobody renders.
  Atomics.store(edition, 0, 2);
  assert.deepEqual(await ask({}), Array(THREADS).fill([1]));
  assert.equal(cache.getStats().loads, fragments);

  // The TTLs run out (this stands for a minute's wait): old pages at first, no page waits, and then the new ones.
  for (let product = 0; product < PRODUCTS; product++) cache.touch(`fragment:product:${product}`, STALE_MS);
  const editions = await ask({ until: 2 });
  assert.ok(
    editions.some((seen) => seen.includes(1)),
    'the old fragment was served meanwhile',
  );
  const { loads, hits, misses } = cache.getStats();
  assert.equal(loads, fragments + PRODUCTS, 'each was rendered anew once');
  console.log(`${Math.round((hits + misses) / 3)} pages on ${THREADS} threads, ${loads} fragments rendered`);
  for (const worker of workers) worker.postMessage(null);
} else {
  const renderer = new Renderer(workerData as Seat);
  parentPort?.on('message', async (job: Job | null) => {
    if (job !== null) return parentPort?.postMessage(await work(renderer, job));
    renderer.close();
    parentPort?.close();
  });
}
