/** Replays a trace against a cache of blocks under each eviction policy and shows how much of it was reused. */
import { CachePool, type EvictionName, SharedCache } from 'mooncake-cache';
import type { TraceOptions } from '../options.js';
import { progress } from '../progress.js';
import { formatTable, percent } from '../table.js';
import { readTrace, type TraceRequest } from './read.js';
import { addReuse, type BlockHome, NO_REUSE, type Reuse } from './replay.js';

/** Requests that travel to a thread together; small, so that all threads work on the same stretch of the trace. */
const BATCH = 32;
/** Shared bytes a block may take with all its bookkeeping: ample, so that the count of blocks is the bound. */
const BYTES_PER_BLOCK = 512;
const MIN_CACHE_BYTES = 4 * 1024 * 1024;

export async function runTrace({ file, blocks, policies, threads }: TraceOptions): Promise<void> {
  const requests = await readTrace(file);
  const distinct = new Set(requests.flat()).size;
  console.log(`${requests.length.toLocaleString('en')} requests, ${distinct.toLocaleString('en')} distinct blocks`);
  console.log(`room for ${blocks.toLocaleString('en')} blocks, replayed by ${threads} threads\n`);
  const rows = [];
  for (const policy of policies) rows.push(await replayWith(policy, requests, blocks, threads));
  const header = ['policy', 'wall time', 'blocks asked', 'block hit ratio', 'prefix hit ratio', 'evictions'];
  console.log(`\n${formatTable(header, rows)}`);
  console.log('\nblock hit ratio: of all blocks asked for, those in the cache');
  console.log('prefix hit ratio: those in an unbroken run from the start of the prompt, which alone can be reused');
}

async function replayWith(eviction: EvictionName, requests: readonly TraceRequest[], blocks: number, threads: number) {
  const maxBytes = Math.max(MIN_CACHE_BYTES, blocks * BYTES_PER_BLOCK);
  const cache = new SharedCache<BlockHome>({ maxEntries: blocks, maxBytes, eviction, ttl: Number.POSITIVE_INFINITY });
  const filename = new URL('../workers/replay.js', import.meta.url).href;
  const pool = new CachePool({ filename, cache, minThreads: threads, maxThreads: threads, execArgv: [] });
  const bar = progress(eviction, requests.length, 'requests');
  const startedAt = performance.now();
  const batches: Promise<Reuse>[] = [];
  for (let first = 0; first < requests.length; first += BATCH) {
    const batch = requests.slice(first, first + BATCH);
    batches.push(
      pool.run<Reuse>(batch).then((reuse) => {
        bar.advance(batch.length);
        return reuse;
      }),
    );
  }
  const total = (await Promise.all(batches)).reduce(addReuse, NO_REUSE);
  const wallMs = performance.now() - startedAt;
  bar.stop();
  const { evictions } = cache.getStats();
  await pool.close();
  cache.close();
  return [
    eviction,
    `${(wallMs / 1000).toFixed(2)} s`,
    total.asked.toLocaleString('en'),
    percent(total.present, total.asked),
    percent(total.prefix, total.asked),
    evictions.toLocaleString('en'),
  ];
}
