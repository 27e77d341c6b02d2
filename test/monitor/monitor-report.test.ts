import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { chromiumProgram } from '../../scripts/services/chromium.js';
import type { Program } from '../../scripts/services/debian.js';
import { SharedMonitor } from '../../src/monitor/monitor.js';
import { renderReport } from '../../src/monitor/report/page.js';
import { OperationSnapshot } from '../../src/monitor/snapshot.js';
import { Chromium } from './chromium.js';
import { durations } from './monitor-durations.js';

const SEED = Number(process.env.SEED ?? Date.now() % 1e9);
t.comment(`SEED=${SEED}`);

const folder = mkdtempSync(join(tmpdir(), 'mooncake-report-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const HOSTILE = '<script>alert("&\'")</script>';
const totals = { hits: 940, misses: 60, evictions: 12, totalObjects: 700, memoryUsage: 30e6, maxBytes: 64 * 2 ** 20 };

/** Latencies of a cache over two minutes, as a monitor would hold them. */
function sampleReport(): string {
  const next = durations(SEED);
  const snapshot = (scale: number, records: number): OperationSnapshot => {
    const monitor = new SharedMonitor();
    const recorder = monitor.recorder('x');
    for (let i = 0; i < records; i++) recorder.record(scale * (100 + (next() % 400)) * (1 + next() / 1e6), true, 100);
    const counts = new OperationSnapshot();
    const histogram = monitor.histogram('x') as unknown as { getCountAtIndex(cell: number): number };
    for (let cell = 0; cell < counts.counts.length; cell++) counts.counts[cell] = histogram.getCountAtIndex(cell);
    const { x } = monitor.getPerformanceSummary();
    return Object.assign(counts, {
      recorded: x.recorded,
      operations: x.recorded * 32,
      sumNs: x.avgDuration * 1e6 * x.recorded,
      // Whole, as a snapshot has them: what is a little more than a cell's bound is in no cell.
      minNs: Math.round(x.min * 1e6),
      maxNs: Math.round(x.max * 1e6),
    });
  };
  const start = Date.UTC(2026, 0, 1);
  return renderReport({
    title: 'Replay of a trace',
    start,
    end: start + 120_000,
    operations: [
      ['get.hit', snapshot(1, 200_000)],
      ['get.miss', snapshot(0.7, 20_000)],
      ['put', snapshot(4, 30_000)],
      [HOSTILE, snapshot(20, 900)],
    ],
    throughput: Array.from({ length: 120 }, (_, i) => {
      const operations = Math.round(60_000 + 20_000 * Math.sin(i / 15) + (next() % 4_000));
      const misses = Math.round(operations * (0.06 + 0.4 * Math.exp(-i / 10)));
      return { second: start / 1000 + i, operations, hits: operations - misses, misses };
    }),
    totals,
    dropped: 0,
  });
}

t.test('the report is one file that fetches nothing', async (t) => {
  const monitor = new SharedMonitor();
  const path = join(folder, 'own.html');
  monitor.writeReport(path);
  t.match(readFileSync(path, 'utf8'), '<!doctype html>', 'a report of nothing');
  for (let i = 0; i < 1_000; i++) monitor.recordOperation(i % 2 ? 'get.hit' : HOSTILE, i / 100, true);
  monitor.observe(() => totals);
  monitor.writeReport(path, 'A & B');
  const html = readFileSync(path, 'utf8');
  t.match(html, '<title>A &amp; B</title>');
  t.match(html, '94 %');
  t.match(html, 'prefers-color-scheme:dark');
  t.notMatch(html, /https?:|<script|src=|@import|url\(|NaN|undefined|Infinity/);
  t.notMatch(sampleReport(), /NaN|undefined|Infinity/);
});

const chromium = chromiumProgram();
const skip = chromium === undefined && 'no Chromium: the report was not looked at in a browser';
t.test('Chromium shows it, light and dark, without a complaint', { skip }, async (t) => {
  const path = join(folder, 'report.html');
  writeFileSync(path, sampleReport());
  const browser = await Chromium.start(chromium as Program);
  t.teardown(() => browser.close());
  const complaints: unknown[] = [];
  const requests: string[] = [];
  const loaded = new Promise<void>((resolve) => {
    browser.on(({ method, params }) => {
      if (method === 'Page.loadEventFired') resolve();
      if (method === 'Network.requestWillBeSent') requests.push((params as { request: { url: string } }).request.url);
      if (['Runtime.exceptionThrown', 'Runtime.consoleAPICalled', 'Log.entryAdded'].includes(method ?? ''))
        complaints.push(params);
    });
  });
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await browser.send(`${domain}.enable`);
  const evaluate = async (expression: string): Promise<unknown> => {
    const answer = await browser.send('Runtime.evaluate', { expression, returnByValue: true });
    return (answer as { result: { value: unknown } }).result.value;
  };
  const size = { width: 1120, height: 900, deviceScaleFactor: 1, mobile: false };
  await browser.send('Emulation.setDeviceMetricsOverride', size);
  const url = pathToFileURL(path).href;
  await browser.send('Page.navigate', { url });
  await loaded;

  t.equal(await evaluate('document.querySelectorAll("svg").length'), 3);
  t.equal(await evaluate('document.querySelectorAll("svg path.line").length'), 6);
  t.equal(await evaluate('document.querySelectorAll("script").length'), 0);
  t.equal(await evaluate('document.querySelector("tbody tr:last-child td").textContent'), HOSTILE);
  const outside = `[...document.querySelectorAll('svg text')].filter((text) => {
    const box = text.getBoundingClientRect(), frame = text.ownerSVGElement.getBoundingClientRect();
    return box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1;
  }).length`;
  t.equal(await evaluate(outside), 0, 'every label lies inside its chart');
  t.equal(await evaluate('document.documentElement.scrollWidth <= innerWidth'), true, 'nothing hangs out of the page');

  const backgrounds: unknown[] = [];
  for (const value of ['light', 'dark']) {
    await browser.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] });
    backgrounds.push(await evaluate('getComputedStyle(document.body).backgroundColor'));
    if (process.env.SCREENSHOTS === undefined) continue;
    const shot = await browser.send('Page.captureScreenshot', { captureBeyondViewport: true });
    writeFileSync(join(process.env.SCREENSHOTS, `${value}.png`), (shot as { data: string }).data, 'base64');
  }
  t.not(backgrounds[0], backgrounds[1]);
  t.same(complaints, []);
  t.same(
    requests.filter((request) => !request.startsWith('data:')),
    [url],
  );
});
