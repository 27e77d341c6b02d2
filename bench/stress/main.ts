/** Real threads under load, with every value checked and, if asked, threads terminated at random all the while. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { SharedCache } from '../../src/index.js';
import { seededRandom } from '../workloads/random.js';
import { Ledger } from './ledger.js';
import { COUNT, check, type StressSeat } from './load.js';
import { parseOptions, type StressOptions, USAGE } from './options.js';

const REPORT_MS = 5_000;

async function stress(options: StressOptions): Promise<boolean> {
  console.log(`seed ${options.seed}`);
  const cache = new SharedCache<string>({
    maxBytes: options.maxBytes,
    ttl: Number.POSITIVE_INFINITY,
    monitor: options.report !== undefined,
  });
  const ledger = new Ledger(options.keys);
  const counts = new Int32Array(new SharedArrayBuffer(COUNT.words * 4));
  const random = seededRandom(options.seed);
  // Longest entries times all keys: below that, eviction is to be expected.
  const mayVanish = options.keys * (options.valueBytes * 2 + 300) > cache.getStats().maxBytes;
  const seatData = (seat: number): StressSeat => ({
    handle: cache.handle,
    ledger: ledger.buffer,
    counts: counts.buffer as SharedArrayBuffer,
    options,
    seat,
    seed: Math.floor(random() * 2 ** 32),
    mayVanish,
  });
  const workers = await Promise.all(Array.from({ length: options.threads }, (_, seat) => startThread(seatData(seat))));
  const startedAt = performance.now();
  const endAt = startedAt + options.seconds * 1_000;
  let kills = 0;
  let reportAt = startedAt + REPORT_MS;
  while (performance.now() < endAt) {
    const nextKill =
      options.killRate === 0 ? Number.POSITIVE_INFINITY : startedAt + ((kills + 1) * 1_000) / options.killRate;
    await delay(Math.max(0, Math.min(nextKill, reportAt, endAt) - performance.now()));
    if (performance.now() >= reportAt) {
      console.error(`${Math.round((performance.now() - startedAt) / 1_000)} s: ${summary(counts, kills)}`);
      reportAt += REPORT_MS;
    }
    if (performance.now() < nextKill || performance.now() >= endAt) continue;
    const seat = Math.floor(random() * options.threads);
    await workers[seat].terminate();
    kills++;
    workers[seat] = await startThread(seatData(seat));
  }
  Atomics.store(counts, COUNT.stop, 1);
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  for (let key = 0; key < options.keys; key++) check(cache, ledger, key, mayVanish, counts);
  const { ok, problems } = cache.inspect();
  for (const problem of problems) console.error(problem);
  const { recoveries, evictions, lockTimeouts } = cache.getStats();
  console.log(
    `${summary(counts, kills)}, ${recoveries} recoveries, ${evictions} evictions, ${lockTimeouts} lock timeouts`,
  );
  console.log(ok ? 'structure sound' : 'STRUCTURE BROKEN');
  if (options.report !== undefined) cache.monitor?.writeReport(options.report, `Stress, seed ${options.seed}`);
  cache.close();
  return ok && counts[COUNT.failures] === 0 && lockTimeouts === 0;
}

function summary(counts: Int32Array, kills: number): string {
  const longestMs = (Atomics.load(counts, COUNT.longestUs) / 1_000).toFixed(1);
  const operations = (Atomics.load(counts, COUNT.operations) >>> 0).toLocaleString('en');
  return `${operations} operations, ${kills} kills, ${counts[COUNT.failures]} failures, longest call ${longestMs} ms`;
}

async function startThread(seat: StressSeat): Promise<Worker> {
  const worker = new Worker(new URL('../../workers/stress-load.js', import.meta.url), {
    workerData: seat,
    execArgv: [],
  });
  await once(worker, 'message');
  return worker;
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') console.log(USAGE);
  else if (!(await stress(options))) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
