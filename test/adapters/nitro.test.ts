/** Nitro's cached handlers and functions over the unstorage driver: a site that is built, and served by two processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { SharedCache } from '../../src/index.js';
import { ONLY_LONG } from '../fixtures/effort.js';
import { until } from '../fixtures/fleet.js';
import { envOf, installFixture, run } from '../fixtures/installed-fixture.js';

const PAGE = 'nitro:handlers:page:1.json';
const BEHIND = 'nitro:handlers:behind:all.json';
const RESULT = 'nitro:functions:result:all.json';

/** The processes that serve the site. */
class Servers {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  #children: ChildProcess[] = [];
  #urls: string[] = [];

  constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.#folder = folder;
    this.#env = { ...env, NITRO_HOST: '127.0.0.1', NITRO_PORT: '0' };
  }

  async start(): Promise<void> {
    this.#urls = await Promise.all([this.#serve(), this.#serve()]);
  }

  async stop(): Promise<void> {
    const exits = this.#children.map((child) => once(child, 'exit'));
    for (const child of this.#children) child.kill('SIGKILL');
    this.#children = [];
    await Promise.all(exits);
  }

  ask(process: 0 | 1, path: string, options: RequestInit = {}): Promise<Response> {
    return fetch(this.#urls[process] + path, { ...options, headers: { connection: 'close', ...options.headers } });
  }

  async text(process: 0 | 1, path: string, options?: RequestInit): Promise<string> {
    return (await this.ask(process, path, options)).text();
  }

  async #serve(): Promise<string> {
    const child = spawn(process.execPath, [join(this.#folder, '.output/server/index.mjs')], {
      env: this.#env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#children.push(child);
    let said = '';
    for await (const text of child.stdout.iterator({ destroyOnReturn: false })) {
      said += text;
      const url = /Listening on (http:\/\/\S+)/.exec(said)?.[1];
      if (url !== undefined) return url;
    }
    throw new Error(`the server ended: ${said}`);
  }
}

t.test('Nitro: two processes share what handlers and functions gave', ONLY_LONG, async (t) => {
  const folder = await installFixture(t, 'nitro', 'nitro/site');
  if (folder === undefined) return;
  const site = join(folder, 'site');
  const path = join(folder, 'nitro-cache');
  const env = envOf({ CACHE: path });
  await run(process.execPath, [join(folder, 'node_modules/nitropack/dist/cli/index.mjs'), 'build'], { cwd: site, env });
  const servers = new Servers(site, env);
  t.teardown(async () => {
    await servers.stop();
    SharedCache.remove(path);
  });
  await servers.start();
  const cache = SharedCache.open<string>(path);
  t.teardown(() => cache.close());
  /** What both processes answer, which must be the same. */
  const both = async (of: string): Promise<string> => {
    const [first, second] = [await servers.text(0, of), await servers.text(1, of)];
    t.equal(second, first, `${of} of both processes`);
    return first;
  };
  /** Makes Nitro think that this is older than it is. */
  const age = (key: string): void => {
    const kept = { ...JSON.parse(cache.get(key) ?? ''), mtime: 0, expires: 0 };
    cache.put(key, JSON.stringify(kept), { ttl: cache.expiresIn(key) ?? 0 });
  };

  const page = await both('/page/1');
  t.match(page, /^page 1 1 of/);
  t.match(await both('/page/2'), /^page 2 /, 'another key is another page');
  const result = await both('/result');
  const behind = await both('/behind');
  t.strictSame([...cache.keys()].sort(), [RESULT, BEHIND, PAGE, 'nitro:handlers:page:2.json'].sort());

  const { headers } = await servers.ask(0, '/page/1');
  const etag = headers.get('etag') ?? '';
  t.equal(
    (await servers.ask(1, '/page/1', { headers: { 'if-none-match': etag } })).status,
    304,
    'the tag of the one is that of the other',
  );

  const left = cache.expiresIn(PAGE) ?? 0;
  t.ok(left > 0 && left <= 60_000, 'maxAge is in seconds');
  await until(async () => (await servers.text(1, '/result')) !== result, 'the end of maxAge');
  age(PAGE);
  const second = await both('/page/1');
  t.not(second, page, 'older than maxAge it is made anew');

  t.equal(cache.expiresIn(BEHIND), Number.POSITIVE_INFINITY, 'with swr it is kept for longer than maxAge');
  age(BEHIND);
  t.equal(await servers.text(1, '/behind'), behind, 'with swr the old one is served');
  await until(async () => (await servers.text(0, '/behind')) !== behind, 'the one that was made behind it');
  await both('/behind');

  await servers.text(0, `/forget?key=${PAGE}`, { method: 'POST' });
  const third = await both('/page/1');
  t.not(third, second, 'what one process removes is gone for both');
  const kept = await both('/behind');
  await servers.text(1, '/forget?base=nitro:handlers:page', { method: 'POST' });
  t.not(await both('/page/1'), third);
  t.equal(await both('/behind'), kept, 'a base clears itself only');

  for (const process of [0, 1] as const) {
    const large = await servers.ask(process, '/large');
    t.equal(large.status, 200, 'what is too large is no error');
    t.match(await large.text(), /^large 1 /, 'and each makes its own');
  }

  const last = await both('/page/1');
  await servers.stop();
  await servers.start();
  t.equal(await both('/page/1'), last, 'a restart is warm');
});
