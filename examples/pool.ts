/**
 * A pool whose tasks share one cache: 200 pages are rendered from 20 templates, and each template is compiled once.
 *
 *   node dist/examples/pool.js
 */
import assert from 'node:assert/strict';
import { isMainThread } from 'node:worker_threads';
import { CachePool, SharedCache, type TaskContext } from 'mooncake-cache';

const PAGES = 200;
const TEMPLATES = 20;

interface Page {
  template: number;
  title: string;
}

/** The task: pool threads load this module as well, and run its default export. */
export default function render({ template, title }: Page, { cache }: TaskContext<unknown>): string {
  const compiled = cache.getOrSetSync(`template:${template}`, () => {
    cache.increment('compiled');
    return ['<article><h1>', `</h1><p>made from template ${template}</p></article>`];
  }) as [string, string];
  return compiled.join(title);
}

if (isMainThread) {
  using cache = new SharedCache<unknown>({ maxBytes: '4MB' });
  await using pool = new CachePool({ filename: new URL(import.meta.url), cache, maxThreads: 4 });
  const pages = await Promise.all(
    Array.from({ length: PAGES }, (_, i) => pool.run<string>({ template: i % TEMPLATES, title: `Page ${i}` })),
  );

  assert.equal(pages[21], '<article><h1>Page 21</h1><p>made from template 1</p></article>');
  assert.equal(cache.get('compiled'), TEMPLATES);
  console.log(`${pages.length} pages rendered, ${cache.get('compiled')} templates compiled`);
}
