/** Next 15 and 16 themselves: sites that are built, and then served by two processes which share one cache by its path. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SharedCache } from 'mooncake-cache';
import t from 'tap';
import { ONLY_LONG } from '../fixtures/effort.js';
import { envOf, installFixture, run } from '../fixtures/installed-fixture.js';

type Test = Pick<typeof t, 'comment' | 'equal' | 'fail' | 'match' | 'teardown' | 'testdir'>;

interface Answer {
  body: string;
  /** Whether a page that may be kept was: HIT, MISS or STALE. */
  cache: string | null;
  /** Whether it is another page than the build's, or the shell that the build made of its route. */
  isKept: boolean;
}

/** A site that is built, and the processes that serve it. */
class Site {
  readonly #t: Test;
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #children = new Set<ChildProcess>();
  #urls: string[] = [];

  constructor(t: Test, folder: string, env: Record<string, string>) {
    this.#t = t;
    this.#folder = folder;
    this.#env = envOf({ NEXT_TELEMETRY_DISABLED: '1', ...env });
    t.teardown(() => this.stop('SIGKILL'));
  }

  async build(): Promise<void> {
    const { stdout } = await run(process.execPath, [this.#next, 'build'], { cwd: this.#folder, env: this.#env });
    this.#t.match(stdout, /Generating static pages/);
  }

  async start(): Promise<void> {
    this.#urls = await Promise.all([this.#serve(), this.#serve()]);
  }

  async stop(...signals: NodeJS.Signals[]): Promise<void> {
    const exits = Array.from(this.#children, (child, i) => {
      child.kill(signals[i % signals.length]);
      return once(child, 'exit');
    });
    await Promise.all(exits);
  }

  /** What one process answers: the main element of a page, the whole body of anything else. */
  async ask(process: 0 | 1, path: string): Promise<Answer> {
    const response = await fetch(this.#urls[process] + path, { headers: { connection: 'close' } });
    this.#t.equal(response.status, 200, path);
    const body = Buffer.from(await response.arrayBuffer()).toString('latin1');
    return {
      body: /<main>(.*?)<\/main>/.exec(body)?.[1] ?? body,
      cache: response.headers.get('x-nextjs-cache'),
      isKept: !response.headers.has('x-nextjs-prerender'),
    };
  }

  /** What both answer, which must be the same. */
  async both(path: string): Promise<string> {
    const [first, second] = [await this.ask(0, path), await this.ask(1, path)];
    this.#t.equal(second.body, first.body, `${path} of both processes`);
    return first.body;
  }

  /** Waits until the page that a request began to render behind its answer is kept: Next forgets a revalidation meanwhile. */
  async settled(path: string): Promise<void> {
    for (const end = Date.now() + 10_000; Date.now() < end; await delay(10)) {
      if ((await this.ask(0, path)).isKept && (await this.ask(1, path)).isKept) return;
    }
    this.#t.fail(`${path} was not kept`);
  }

  /** What both answer as soon as it is another than `old`. */
  async renewed(path: string, old: string): Promise<string> {
    for (const end = Date.now() + 10_000; Date.now() < end; await delay(10)) {
      if ((await this.ask(1, path)).body !== old) return this.both(path);
    }
    this.#t.fail(`${path} was not made anew`);
    return old;
  }

  async revalidate(process: 0 | 1, what: { tag?: string; path?: string; profile?: string }): Promise<void> {
    const body = JSON.stringify(what);
    const response = await fetch(`${this.#urls[process]}/revalidate`, { method: 'POST', body });
    this.#t.equal(await response.text(), 'done');
  }

  get #next(): string {
    return join(this.#folder, '../node_modules/next/dist/bin/next');
  }

  async #serve(): Promise<string> {
    const child = spawn(process.execPath, [this.#next, 'start', '-H', '127.0.0.1', '-p', '0'], {
      cwd: this.#folder,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    let said = '';
    child.stdout.on('data', (text) => {
      said += text;
    });
    while (!/Ready in/.test(said)) await once(child.stdout, 'data');
    return /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] ?? '';
  }
}

/** An origin for the site's fetches: the name of what was asked for, and how often that was. */
async function origin(t: Test): Promise<string> {
  const counts = new Map<string, number>();
  const server = createServer(({ url = '' }, response) => {
    counts.set(url, (counts.get(url) ?? 0) + 1);
    response.setHeader('connection', 'close').end(`${url.slice(1)} ${counts.get(url)}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The path of a cache for one site. */
function cacheFor(t: Test, folder: string, name: string): string {
  const path = join(folder, name);
  t.teardown(() => SharedCache.remove(path));
  return path;
}

for (const version of ['15', '16']) {
  t.test(`Next ${version}`, ONLY_LONG, async (t) => {
    const folder = await installFixture(t, `next/${version}`, 'next/site', 'next/components');
    if (folder === undefined) return;
    const ORIGIN = await origin(t);

    await t.test('two processes share pages, fetches, results and what is revalidated', async (t) => {
      const site = new Site(t, join(folder, 'site'), { CACHE: cacheFor(t, folder, 'site-cache'), ORIGIN });
      await site.build();
      await site.start();

      const built = await site.both('/page/built');
      t.match(built, /^page 1 /, 'what the build rendered');
      t.equal((await site.ask(0, '/page/1')).cache, 'MISS');
      t.equal((await site.ask(1, '/page/1')).cache, 'HIT', 'an ISR page is rendered by one process for both');
      const page = await site.both('/page/1');
      t.match(page, /^page 2 /);
      const old = await site.both('/old/1');
      const result = await site.both('/result');
      t.equal(await site.both('/fetched'), 'fetched 1');
      // What Next 15 assumes of a page that another process made: it is good for a second.
      await delay(1_100);
      t.equal((await site.ask(1, '/page/1')).cache, 'HIT');
      t.equal((await site.ask(1, '/old/1')).cache, 'HIT');

      await site.revalidate(0, { tag: 'page-1' });
      const second = await site.both('/page/1');
      t.match(second, /^page 3 /);
      await site.revalidate(1, { path: '/page/1' });
      const third = await site.both('/page/1');
      t.match(third, /^page 4 /, 'with the fetch in it, by its soft tag');
      await site.revalidate(1, { tag: 'result' });
      const secondResult = await site.both('/result');
      t.not(secondResult, result);
      await site.revalidate(0, { tag: 'fetched' });
      t.equal(await site.both('/fetched'), 'fetched 2');
      t.equal(await site.both('/old/1'), old);
      t.equal(await site.both('/page/built'), built);

      await site.stop('SIGTERM', 'SIGKILL');
      await site.start();
      t.equal((await site.ask(0, '/page/1')).cache, 'HIT', 'a restart is warm');
      t.equal(await site.both('/page/1'), third);
      t.equal(await site.both('/result'), secondResult);
      t.equal(await site.both('/fetched'), 'fetched 2');
      t.equal(await site.both('/old/1'), old);

      if (version === '15') return;
      const image = '/_next/image?url=/dot.png&w=64&q=75';
      t.equal((await site.ask(0, image)).cache, 'MISS');
      t.equal((await site.ask(1, image)).cache, 'HIT', 'an image is made for both');
      await site.both(image);
      for (const [path, tag, before] of [
        ['/page/1', 'page-1', third],
        ['/result', 'result', secondResult],
        ['/fetched', 'fetched', 'fetched 2'],
      ]) {
        await site.revalidate(0, { tag, profile: 'max' });
        t.equal((await site.ask(1, path)).body, before, 'with a profile the old one is used once more');
        await site.renewed(path, before);
      }
    });

    if (version === '15') return;
    await t.test('cache components', async (t) => {
      const site = new Site(t, join(folder, 'components'), { CACHE: cacheFor(t, folder, 'components-cache'), ORIGIN });
      await site.build();
      await site.start();
      t.equal((await site.ask(0, '/static')).cache, 'HIT', 'the build rendered it');
      const before = new Map<string, string>();
      for (const path of ['/static', '/page/built', '/page/new']) before.set(path, await site.both(path));
      await site.settled('/page/new');
      await site.revalidate(0, { tag: 'page-new' });
      const renewed = await site.both('/page/new');
      t.not(renewed, before.get('/page/new'));
      t.match(renewed, /^new /);
      t.equal(await site.both('/page/built'), before.get('/page/built'));
      await site.revalidate(1, { path: '/page/built' });
      // The shell that the build made of its route still shows it once, with Next's own handlers too.
      const built = await site.renewed('/page/built', before.get('/page/built') ?? '');
      await site.revalidate(1, { tag: 'static', profile: 'max' });
      t.equal((await site.ask(0, '/static')).body, before.get('/static'));
      const fresh = await site.renewed('/static', before.get('/static') ?? '');
      await site.stop('SIGKILL');
      await site.start();
      t.equal(await site.both('/static'), fresh);
      t.equal(await site.both('/page/new'), renewed);
      t.equal(await site.both('/page/built'), built);
    });
  });
}
