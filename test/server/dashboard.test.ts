/** The live page: its events, and the page itself in a browser, looked at as a reader would. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import t from 'tap';
import { chromiumProgram } from '../../scripts/services/chromium.js';
import type { SharedCache } from '../../src/index.js';
import { serving } from '../fixtures/serving.js';
import { Chromium } from '../monitor/chromium.js';

t.setTimeout(300_000);
const PATIENCE_MS = 60_000;
const MARKUP = '<img src=/v1/keys/x onerror=alert(1)><script>alert(2)</script>';
const HOSTILE_KEYS = [MARKUP, '\x1b[2J\0\r\n', 'lone \ud800', '\u202eright to left', 'é'.repeat(32_768)];
/** DevTools may replace half of a surrogate pair. */
const wellFormed = (text: string): string => text.replaceAll(/\p{Cs}/gu, '\ufffd');
const LONG_NAME = `${'a-very-long-name-'.repeat(3)}<b>&`;

interface Event {
  name: string;
  data: {
    at: number;
    samples: { stats: { hits: number } }[];
    stats: { hits: number };
    about: object;
    hottest?: object;
  };
}

/** Reads events until there are so many. */
async function eventsOf(response: IncomingMessage, wanted: number): Promise<Event[]> {
  const events: Event[] = [];
  let rest = '';
  for await (const chunk of response.setEncoding('utf8')) {
    const parts = (rest + chunk).split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(part) ?? [];
      events.push({ name, data: JSON.parse(data) });
    }
    if (events.length >= wanted) break;
  }
  return events;
}

async function openEvents(port: number, headers = {}): Promise<IncomingMessage> {
  const [response] = (await once(get({ port, path: '/events', headers }), 'response')) as [IncomingMessage];
  return response;
}

t.test('events: what there was, then a sample each second', async (t) => {
  const { cache, port, close } = await serving(t, { monitor: { sample: 1 } });
  cache.put('k', 'v');
  cache.get('k');
  const response = await openEvents(port);
  t.equal(response.headers['content-type'], 'text/event-stream');
  const [history, first, second] = await eventsOf(response, 3);
  t.strictSame([history.name, first.name, second.name], ['history', 'sample', 'sample']);
  t.match(history.data.about, { isTimed: true, maxEntryBytes: cache.maxEntryBytes });
  t.ok(second.data.at > first.data.at);
  t.equal(second.data.stats.hits, 1);
  t.match(second.data.hottest, { notes: 2, keys: [{ key: 'k', namespaces: [], share: 1, notes: 2, reads: 1 }] });
  t.match(JSON.stringify([history, first, second]), /"get\.hit":\{"p50":[\d.e-]+,"p90":[^}]+"p99":[^}]+"max"/);

  const open = await openEvents(port);
  const ended = once(open.resume(), 'end');
  await close();
  await ended;
  t.pass('a server that closes ends them');
});

t.test('events: at most 64 at one time, none without the token, and none kept of a page that went', async (t) => {
  const { ask, port } = await serving(t, {}, 'secret');
  t.equal((await ask('GET', '/events')).status, 401);
  const headers = { authorization: 'Bearer secret' };
  t.equal((await ask('HEAD', '/events', { headers })).status, 200);
  const streams = await Promise.all(Array.from({ length: 64 }, () => openEvents(port, headers)));
  t.equal((await ask('GET', '/events', { headers })).status, 503);
  for (const stream of streams) stream.destroy();
  let status = 503;
  for (const end = Date.now() + PATIENCE_MS; status === 503 && Date.now() < end; ) {
    const stream = await openEvents(port, headers);
    status = stream.statusCode ?? 0;
    stream.destroy();
  }
  t.equal(status, 200);
});

t.test('the page and its files', async (t) => {
  const open = await serving(t);
  const guarded = await serving(t, {}, 'secret');
  const page = await open.ask('GET', '/');
  t.equal(page.status, 200);
  t.equal(page.headers['content-type'], 'text/html; charset=utf-8');
  t.match(page.headers['content-security-policy'], /default-src 'none'; script-src 'self'; style-src 'self'/);
  t.notMatch(
    page.text,
    /https?:\/\/(?!www\.w3\.org)|<script>|style=| on\w+=/,
    'nothing from elsewhere, nothing inline',
  );
  for (const [, path] of page.text.matchAll(/(?:src|href)="(\/dashboard\/[^"]+)"/g)) {
    const asset = await guarded.ask('GET', path);
    t.equal(asset.status, 200, path);
    t.equal(asset.headers['x-content-type-options'], 'nosniff');
    for (const [, name] of asset.text.matchAll(/from '\.\/([^']+)'/g))
      t.equal((await guarded.ask('GET', `/dashboard/${name}`)).status, 200, name);
  }
  const refused = await guarded.ask('GET', '/');
  t.equal(refused.status, 401, 'who can send a token learns that it is wanted');
  t.equal(refused.text, page.text, 'a browser, which cannot, gets the page that asks for it');
  t.equal((await guarded.ask('GET', '/', { headers: { authorization: 'Bearer secret' } })).status, 200);
  for (const path of [
    '/dashboard/',
    '/dashboard/../package.json',
    '/dashboard/%2e%2e/main.js',
    '/dashboard/constructor',
  ])
    t.equal((await open.ask('GET', path)).status, 404, path);
  t.equal((await open.ask('POST', '/')).status, 405);
});

/** A page in a browser, and what it complained of. */
class Page {
  readonly complaints: unknown[] = [];
  readonly requests: string[] = [];
  readonly browser: Chromium;

  private constructor(browser: Chromium) {
    this.browser = browser;
    browser.on(({ method = '', params }) => {
      if (method === 'Network.requestWillBeSent')
        this.requests.push((params as { request: { url: string } }).request.url);
      if (['Runtime.exceptionThrown', 'Runtime.consoleAPICalled', 'Log.entryAdded'].includes(method))
        this.complaints.push(params);
    });
  }

  static async open(browser: Chromium, url: string): Promise<Page> {
    const page = new Page(browser);
    for (const domain of ['Page', 'Runtime', 'Log', 'Network', 'Accessibility']) await browser.send(`${domain}.enable`);
    await browser.send('Page.navigate', { url });
    return page;
  }

  async ask(expression: string): Promise<unknown> {
    const answer = await this.browser.send('Runtime.evaluate', { expression, returnByValue: true });
    return (answer as { result: { value: unknown } }).result.value;
  }

  /** Asks until it is so. */
  async until(expression: string): Promise<void> {
    for (const end = Date.now() + PATIENCE_MS; (await this.ask(expression)) !== true; )
      if (Date.now() > end) throw new Error(`never: ${expression}`);
  }

  async resize(width: number): Promise<void> {
    const size = { width, height: 900, deviceScaleFactor: 1, mobile: false };
    await this.browser.send('Emulation.setDeviceMetricsOverride', size);
    await this.until(
      `[...document.querySelectorAll('svg[role=img]')].every((svg) => !svg.getAttribute('viewBox') || svg.viewBox.baseVal.width === svg.clientWidth)`,
    );
  }
}

/** Goes on with a little of everything until the test is over. */
function use(cache: SharedCache<unknown>, more: () => void): () => void {
  const timer = setInterval(() => {
    for (let i = 0; i < 20; i++) more();
    for (let i = 0; i < 20; i++) {
      cache.get(`k${i}`);
      cache.put(`k${i + 10}`, 'x'.repeat(500), { tags: ['all'] });
    }
    cache.delete('k11');
    cache.invalidateTags('all');
  }, 20);
  return () => clearInterval(timer);
}

const chromium = chromiumProgram();
t.test('in a browser', { skip: chromium === undefined && 'no Chromium can be had' }, async (t) => {
  const { cache, port } = await serving(t, { monitor: { sample: 1 } });
  cache.monitor?.recordOperation(LONG_NAME, 12, true);
  const hostile = cache.namespace('<b>').namespace('eu');
  const useHostile = (): void => {
    for (const key of HOSTILE_KEYS) hostile.get(key);
  };
  t.teardown(use(cache, useHostile));
  const browser = await Chromium.start(chromium as NonNullable<typeof chromium>);
  t.teardown(() => browser.close());
  const page = await Page.open(browser, `http://localhost:${port}/`);
  await page.until(`document.getElementById('status').textContent === 'live'`);
  const tile = (name: string): string =>
    `[...document.querySelectorAll('#tiles div')].find((div) => div.textContent.startsWith('${name}'))?.querySelector('b').textContent`;
  await page.until(`/\\d/.test(${tile('operations a second')}) && ${tile('operations a second')} !== '0'`);
  await page.ask(`globalThis.first = document.querySelector('#operations .line').getAttribute('d'); true`);
  await page.until(`document.querySelector('#operations .line').getAttribute('d') !== first`);
  t.pass('numbers and lines move');
  t.match(await page.ask(tile('hit ratio')), /^\d+(\.\d)? %$/);
  await page.until(`document.querySelectorAll('#latency .line').length >= 4`);
  t.equal(await page.ask(`document.querySelectorAll('#latency .legend b').length >= 4`), true);
  t.match(await page.ask(`document.querySelector('#left .legend').textContent`), /deleted .* in all/);

  const keys = `[...document.querySelectorAll('#keys tbody th')].map((cell) => cell.textContent)`;
  await page.until(`${keys}.filter((key) => key.endsWith(' in <b>/eu')).length === ${HOSTILE_KEYS.length}`);
  const shown = (await page.ask(keys)) as string[];
  for (const key of HOSTILE_KEYS) {
    const text = key.length > 128 ? `${key.slice(0, 60)}…` : key;
    t.ok(shown.map(wellFormed).includes(`${wellFormed(text)} in <b>/eu`), JSON.stringify(text));
  }
  t.equal(await page.ask(`document.querySelectorAll('#keys img, #keys script').length`), 0, 'and never markup');
  t.match(
    await page.ask(`document.querySelector('#keys p').textContent`),
    /^Estimated from [\d,]+ operations of the last \d+ s\.$/,
  );
  t.match(await page.ask(`document.querySelector('#keys tbody td').textContent`), /^\d+(\.\d)? %$/);

  for (const details of ['operations', 'latency'])
    await page.ask(`document.querySelector('#${details} details').open = true`);
  await page.until(`document.querySelectorAll('#latency tbody td').length > 0`);
  const backgrounds = new Set<unknown>();
  for (const width of [390, 1600, 320]) {
    await page.resize(width);
    for (const value of ['light', 'dark']) {
      await browser.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] });
      t.equal(await page.ask('document.documentElement.scrollWidth <= innerWidth'), true, `no overflow at ${width}`);
      backgrounds.add(await page.ask('getComputedStyle(document.body).backgroundColor'));
      t.strictSame(await page.ask(CONTRAST), [], `contrast, ${value}`);
    }
  }
  t.equal(backgrounds.size, 2, 'light and dark');
  t.strictSame(await page.ask(UNNAMED), [], 'every chart and control has a name');
  t.strictSame(await page.ask(`[...document.querySelectorAll('[aria-live], [role=status]')].map(({ id }) => id)`), [
    'status',
  ]);

  await page.ask(`document.querySelector('#operations svg').focus(); true`);
  const key = { key: 'ArrowLeft', code: 'ArrowLeft', windowsVirtualKeyCode: 37 };
  await browser.send('Input.dispatchKeyEvent', { type: 'keyDown', ...key });
  t.match(
    await page.ask(`document.activeElement.getAttribute('aria-label')`),
    / at \d.*reads /,
    'a key reads an earlier value',
  );
  t.equal(await page.ask(`getComputedStyle(document.activeElement).outlineStyle`), 'solid', 'and the focus is seen');

  t.strictSame(page.complaints, []);
  const own = `http://localhost:${port}/`;
  t.strictSame(
    page.requests.filter((url) => !url.startsWith(own) && !url.startsWith('data:')),
    [],
  );
});

t.test(
  'in a browser, with a token and without a monitor',
  { skip: chromium === undefined && 'no Chromium can be had' },
  async (t) => {
    const { port } = await serving(t, {}, 'secret token of 30 bytes'.replaceAll(' ', '-'));
    const browser = await Chromium.start(chromium as NonNullable<typeof chromium>);
    t.teardown(() => browser.close());
    const page = await Page.open(browser, `http://localhost:${port}/`);
    const enter = (token: string): Promise<unknown> =>
      page.ask(
        `document.getElementById('token').value = '${token}'; document.querySelector('form button').click(); true`,
      );
    const asks = `!document.getElementById('token-form').hidden && document.activeElement.id === 'token'`;
    await page.until(asks);
    t.equal(await page.ask(`document.getElementById('view').hidden`), true);
    await enter('wrong');
    await page.until(`document.getElementById('status').dataset.state === 'denied' && ${asks}`);
    await enter('secret-token-of-30-bytes');
    await page.until(
      `document.getElementById('status').textContent === 'live' && !document.getElementById('view').hidden`,
    );
    t.match(
      await page.ask(`document.getElementById('latency').textContent`),
      /monitor: true/,
      'says how latencies are had',
    );
    t.match(await page.ask(`document.getElementById('keys').textContent`), /monitor: true/, 'and keys');
    t.equal(await page.ask(`location.href.includes('secret') || document.body.innerHTML.includes('secret')`), false);
    t.notOk(page.requests.some((url) => url.includes('secret')));
  },
);

/** What has no name for a reader who does not see it. */
const UNNAMED = `[...document.querySelectorAll('svg[role=img], [role=meter], [role=region], input, button, summary, section, figure')].filter((each) => {
  const labels = [each.getAttribute('aria-label'), each.ariaLabel, each.textContent, ...[...(each.labels ?? [])].map((label) => label.textContent)];
  return !labels.some((label) => label && label.trim() !== '');
}).map((each) => each.outerHTML.slice(0, 80))`;

/** Texts whose contrast to what is behind them is less than 4.5:1 (WCAG 2.2, 1.4.3). */
const CONTRAST = `(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const color = channels(getComputedStyle(node).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('p, dt, b, small, h1, h3, li, span, text, td, th, summary, a')].filter((node) => node.textContent.trim() && node.getClientRects().length).filter((node) => {
    const style = getComputedStyle(node);
    const pair = [light(channels(node.localName === 'text' ? style.fill : style.color)), light(behind(node))].sort((a, b) => b - a);
    return (pair[0] + 0.05) / (pair[1] + 0.05) < 4.5;
  }).map((node) => node.outerHTML.slice(0, 80));
})()`;
