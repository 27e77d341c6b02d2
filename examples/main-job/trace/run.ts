/** Replays a trace against a cache of blocks under each eviction policy and shows how much of it was reused. */
import { CachePool, type EvictionName, SharedCache } from 'mooncake-cache';
import { type Panel, writeChart } from '../chart.js';
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

interface Replayed extends Reuse {
  readonly policy: EvictionName;
  readonly wallMs: number;
  readonly evictions: number;
}

export async function runTrace({ file, blocks, policies, threads, svg }: TraceOptions): Promise<void> {
  const requests = await readTrace(file);
  const distinct = new Set(requests.flat()).size;
  console.log(`${requests.length.toLocaleString('en')} requests, ${distinct.toLocaleString('en')} distinct blocks`);
  console.log(`room for ${blocks.toLocaleString('en')} blocks, replayed by ${threads} threads\n`);
  const runs: Replayed[] = [];
  for (const policy of policies) runs.push(await replayWith(policy, requests, blocks, threads));
  console.log(`\n${summary(runs)}`);
  console.log('\nblock hit ratio: of all blocks asked for, those in the cache');
  console.log('prefix hit ratio: those in an unbroken run from the start of the prompt, which alone can be reused');
  if (svg !== undefined) writeChart(svg, panels(runs));
}

async function replayWith(
  policy: EvictionName,
  requests: readonly TraceRequest[],
  blocks: number,
  threads: number,
): Promise<Replayed> {
  const maxBytes = Math.max(MIN_CACHE_BYTES, blocks * BYTES_PER_BLOCK);
  const cache = new SharedCache<BlockHome>({
    maxEntries: blocks,
    maxBytes,
    eviction: policy,
    ttl: Number.POSITIVE_INFINITY,
  });
  const filename = new URL('../workers/replay.js', import.meta.url).href;
  const pool = new CachePool({ filename, cache, minThreads: threads, maxThreads: threads, execArgv: [] });
  const bar = progress(policy, requests.length, 'requests');
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
  return { ...total, policy, wallMs, evictions };
}

function summary(runs: readonly Replayed[]): string {
  const rows = runs.map(({ policy, wallMs, asked, present, prefix, evictions }) => [
    policy,
    `${(wallMs / 1000).toFixed(2)} s`,
    asked.toLocaleString('en'),
    percent(present, asked),
    percent(prefix, asked),
    evictions.toLocaleString('en'),
  ]);
  return formatTable(['policy', 'wall time', 'blocks asked', 'block hit ratio', 'prefix hit ratio', 'evictions'], rows);
}

function panels(runs: readonly Replayed[]): Panel[] {
  const bars = runs.map(({ policy, prefix, asked }) => ({
    label: policy,
    value: prefix,
    text: percent(prefix, asked),
  }));
  return [{ title: 'Blocks reused (prefix hit ratio)', bars }];
}
