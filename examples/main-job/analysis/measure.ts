/** Runs all requests over a fresh pool of threads, in one of three ways to cache. */
import { CachePool, SharedCache } from 'mooncake-cache';
import { Piscina } from 'piscina';
import { progress } from '../progress.js';
import type { FileAnalysis } from './analyse.js';
import type { Closure } from './closure.js';
import { MAX_CACHE_BYTES } from './limits.js';
import type { Task, TaskResult } from './task.js';

export interface Measured {
  readonly label: string;
  /** One for each request, in the order of the requests. */
  readonly closures: readonly Closure[];
  readonly wallMs: number;
  readonly lookups: number;
  readonly computations: number;
  /** Bytes of everything remembered, over all threads. */
  readonly cacheBytes: number;
}

export async function measureNoCache(tasks: readonly Task[], threads: number): Promise<Measured> {
  const pool = new Piscina({ ...poolOptions(threads), filename: workerUrl('no-cache') });
  const measured = await measure('no cache', tasks, (task): Promise<TaskResult> => pool.run(task));
  await pool.close();
  return { ...measured, cacheBytes: 0 };
}

export async function measurePerThread(tasks: readonly Task[], threads: number): Promise<Measured> {
  const pool = new Piscina({ ...poolOptions(threads), filename: workerUrl('per-thread') });
  const bytes = new Map<number, number>();
  const measured = await measure('lru-cache per thread', tasks, async (task) => {
    const result: TaskResult & { thread: number; cacheBytes: number } = await pool.run(task);
    bytes.set(result.thread, Math.max(bytes.get(result.thread) ?? 0, result.cacheBytes));
    return result;
  });
  await pool.close();
  return { ...measured, cacheBytes: [...bytes.values()].reduce((sum, each) => sum + each, 0) };
}

export async function measureShared(tasks: readonly Task[], threads: number): Promise<Measured> {
  const cache = new SharedCache<FileAnalysis>({ maxBytes: MAX_CACHE_BYTES, ttl: Number.POSITIVE_INFINITY });
  const pool = new CachePool({ ...poolOptions(threads), filename: workerUrl('shared'), cache });
  const measured = await measure('shared cache', tasks, (task) => pool.run<TaskResult>(task));
  const { memoryUsage } = cache.getStats();
  await pool.close();
  cache.close();
  return { ...measured, cacheBytes: memoryUsage };
}

/** As many threads from the first to the last task: none starts or ends while the clock runs. */
function poolOptions(threads: number) {
  return { minThreads: threads, maxThreads: threads, idleTimeout: Number.POSITIVE_INFINITY, execArgv: [] };
}

function workerUrl(name: string): string {
  return new URL(`../workers/${name}.js`, import.meta.url).href;
}

async function measure(label: string, tasks: readonly Task[], run: (task: Task) => Promise<TaskResult>) {
  const bar = progress(label, tasks.length, 'requests');
  const startedAt = performance.now();
  const results = await Promise.all(
    tasks.map(async (task) => {
      const result = await run(task);
      bar.advance();
      return result;
    }),
  );
  const wallMs = performance.now() - startedAt;
  bar.stop();
  return {
    label,
    wallMs,
    closures: results.map(({ closure }) => closure),
    lookups: results.reduce((sum, { lookups }) => sum + lookups, 0),
    computations: results.reduce((sum, { computations }) => sum + computations, 0),
  };
}
