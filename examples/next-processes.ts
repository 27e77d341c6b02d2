/**
 * The files in examples/next/ as two processes of a Next site would use them: a page and the result of a function with
 * 'use cache' are made by one and used by the other, and what one revalidates is over for both. Next itself is not needed.
 *
 *   node dist/examples/next-processes.js [folder]
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SharedCache } from 'mooncake-cache';
import type { NextCacheHandler, NextUseCacheHandler } from 'mooncake-cache/adapters/next';

const path = join(process.argv[2] ?? tmpdir(), 'next-example');

/** What a request may do. */
type Request = 'page' | 'price' | 'revalidate';

/** Reads a file of the site as Next does. */
async function load<T>(name: string): Promise<T> {
  const file = new URL(`../../examples/next/${name}`, import.meta.url);
  return ((await import(file.href)) as { default: T }).default;
}

async function serve(): Promise<void> {
  const Handler = await load<new () => NextCacheHandler>('cache-handler.mjs');
  const results = await load<NextUseCacheHandler>('use-cache-handler.mjs');

  async function page(): Promise<string> {
    const handler = new Handler();
    const found = await handler.get('/', { kind: 'APP_PAGE' });
    if (found?.value) return String(found.value.html);
    const html = `<h1>rendered by ${process.pid}</h1>`;
    const headers = { 'x-next-cache-tags': 'prices' };
    await handler.set('/', { kind: 'APP_PAGE', html, headers }, { cacheControl: { revalidate: 60, expire: 3_600 } });
    return html;
  }

  async function price(): Promise<string> {
    const found = await results.get('price', []);
    if (found !== undefined) return new Response(found.value).text();
    const text = `asked by ${process.pid}`;
    const value = new Blob([text]).stream() as ReadableStream<Uint8Array>;
    const lifetime = { stale: 30, revalidate: 60, expire: 3_600, timestamp: Date.now() };
    await results.set('price', Promise.resolve({ value, tags: ['prices'], ...lifetime }));
    return text;
  }

  async function revalidate(): Promise<string> {
    await Promise.all([new Handler().revalidateTag('prices'), results.updateTags(['prices'])]);
    return 'done';
  }

  const answers: Record<Request, () => Promise<string>> = { page, price, revalidate };
  process.on('message', async (request: Request) => process.send?.(await answers[request]()));
}

async function ask(child: ChildProcess, request: Request): Promise<string> {
  child.send(request);
  return (await once(child, 'message'))[0] as string;
}

if (process.send === undefined) {
  SharedCache.remove(path);
  const env = { ...process.env, SITE_CACHE: path };
  const [one, two] = [0, 1].map(() => fork(fileURLToPath(import.meta.url), { env, execArgv: [] }));

  const page = await ask(one, 'page');
  const price = await ask(two, 'price');
  assert.equal(await ask(two, 'page'), page);
  assert.equal(await ask(one, 'price'), price);
  await ask(one, 'revalidate');
  const renewed = await ask(two, 'page');
  assert.notEqual(renewed, page);
  assert.equal(await ask(one, 'page'), renewed);
  assert.notEqual(await ask(one, 'price'), price);

  for (const child of [one, two]) {
    child.kill();
    await once(child, 'exit');
  }
  // The next start of the site finds it so.
  using cache = SharedCache.open(path);
  assert.equal(cache.origin, 'warm');
  SharedCache.remove(path);
  console.log('two processes shared a page and a result, and saw them revalidated');
} else {
  await serve();
}
