/**
 * How long after the death of a loading thread another one loads: from the call of terminate() to the start of the second
 * loader, and of that what terminate() itself took to return.
 *
 *   node dist/bench/micro/takeover.js [--rounds=50]
 */
import { once } from 'node:events';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { SharedCache, type SharedCacheHandle } from '../../src/index.js';
import { spread } from '../stats.js';

const KEY = 'key';

interface Times {
  takeover: number;
  terminate: number;
}

/** `afterMs`: how long the other thread has waited, so that the rounds meet all parts of the 25 ms between its looks. */
async function round(afterMs: number): Promise<Times> {
  using cache = new SharedCache<number>({ maxBytes: '1MB' });
  const loader = new Worker(new URL(import.meta.url), { workerData: cache.handle, execArgv: [] });
  await once(loader, 'message');
  const takenOver = cache.getOrSet(KEY, () => performance.now());
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  const start = performance.now();
  await loader.terminate();
  const terminated = performance.now();
  return { takeover: (await takenOver) - start, terminate: terminated - start };
}

function text(times: readonly number[]): string {
  const { median, min, max } = spread(times);
  return `median ${median.toFixed(1)} ms, ${min.toFixed(1)} to ${max.toFixed(1)} ms`;
}

if (isMainThread) {
  const { values: flags } = parseArgs({ options: { rounds: { type: 'string', default: '50' } } });
  const hold = setInterval(() => {}, 1_000);
  const times: Times[] = [];
  for (let i = 0; i < Number(flags.rounds); i++) times.push(await round(i % 50));
  clearInterval(hold);
  console.log(`${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} threads, Node ${process.version}`);
  console.log(`takeover:  ${text(times.map(({ takeover }) => takeover))}`);
  console.log(`terminate: ${text(times.map(({ terminate }) => terminate))}`);
} else {
  const cache = SharedCache.attach<number>(workerData as SharedCacheHandle);
  setInterval(() => {}, 1_000);
  void cache.getOrSet(KEY, () => {
    parentPort?.postMessage('loading');
    return new Promise<never>(() => {});
  });
}
