/**
 * Four threads share a cache and a monitor: each times its lookups, one of 16, and the pages it renders. The main thread
 * watches the intervals, then writes what it saw as summary, Prometheus text, HdrHistogram log and HTML report.
 *
 *   node dist/examples/monitoring.js [folder]
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { SharedCache, type SharedCacheHandle, SharedMonitor, type SharedMonitorHandle } from 'mooncake-cache';

const THREADS = 4;
const PAGES = 20_000;
const SAMPLE = 16;

interface Handles {
  cache: SharedCacheHandle;
  monitor: SharedMonitorHandle;
}

function render(page: number): string {
  return `<h1>Page ${page}</h1>${'<p>Lorem ipsum</p>'.repeat(1 + (page % 40))}`;
}

function work(handles: Handles): void {
  const cache = SharedCache.attach<string>(handles.cache);
  const monitor = SharedMonitor.attach(handles.monitor);
  const recorders = { hit: monitor.recorder('get.hit'), miss: monitor.recorder('get.miss') };
  const sampler = monitor.sampler();
  for (let i = 0; i < PAGES; i++) {
    // Few pages are wanted often, many seldom.
    const page = Math.floor(2_000 * Math.random() ** 3);
    const due = sampler.due();
    const start = due === 0 ? 0 : performance.now();
    let html = cache.get(`page:${page}`);
    if (due !== 0) {
      const recorder = html === undefined ? recorders.miss : recorders.hit;
      recorder.record((performance.now() - start) * 1e6, true, html?.length ?? 0, due);
    }
    if (html === undefined) {
      html = monitor.time('render', () => render(page));
      cache.put(`page:${page}`, html);
    }
  }
  monitor.close();
  cache.close();
}

async function main(): Promise<void> {
  const folder = process.argv[2] ?? mkdtempSync(join(tmpdir(), 'mooncake-monitoring-'));
  const cache = new SharedCache<string>({ maxBytes: '8MB' });
  const monitor = new SharedMonitor({ sample: SAMPLE });
  monitor.observe(() => cache.getStats());
  const handles: Handles = { cache: cache.handle, monitor: monitor.handle };
  const workers = Array.from(
    { length: THREADS },
    () => new Worker(fileURLToPath(import.meta.url), { workerData: handles, execArgv: [] }),
  );
  const finished = Promise.all(workers.map((worker) => once(worker, 'exit')));
  let running = true;
  void finished.then(() => {
    running = false;
  });
  while (running) {
    await Promise.race([finished, delay(200)]);
    const { operations, start, end } = monitor.interval();
    const hits = operations['get.hit'];
    if (hits !== undefined) {
      console.log(`${end - start} ms: about ${Math.round(hits.count)} hits, p99 ${hits.p99.toFixed(4)} ms`);
    }
  }

  const summary = monitor.getPerformanceSummary();
  console.table(summary, ['count', 'recorded', 'p50', 'p99', 'max']);
  const { hits, misses } = cache.getStats();
  assert.equal(hits + misses, THREADS * PAGES, 'every lookup is counted by the cache');
  const lookups = (summary['get.hit']?.count ?? 0) + (summary['get.miss']?.count ?? 0);
  assert.ok(Math.abs(lookups - THREADS * PAGES) < THREADS * 2 * SAMPLE, 'the samples stand for all lookups');
  assert.equal(summary.render.count, misses, 'time() records every page that was rendered');

  writeFileSync(join(folder, 'latencies.hlog'), monitor.toHlog());
  writeFileSync(join(folder, 'metrics.txt'), monitor.toPrometheus());
  monitor.writeReport(join(folder, 'report.html'), 'Pages');
  console.log(`Wrote latencies.hlog, metrics.txt and report.html to ${folder}`);
  monitor.close();
  cache.close();
}

if (isMainThread) await main();
else work(workerData as Handles);
