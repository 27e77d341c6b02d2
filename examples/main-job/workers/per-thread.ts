/** Each thread remembers what it analysed itself, in an lru-cache. */
import { serialize } from 'node:v8';
import { threadId } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';
import { analyseFile, type FileAnalysis } from '../analysis/analyse.js';
import { MAX_CACHE_BYTES } from '../analysis/limits.js';
import { runTask, type Task, type TaskResult } from '../analysis/task.js';

const cache = new LRUCache<string, FileAnalysis>({
  maxSize: MAX_CACHE_BYTES,
  sizeCalculation: (analysis, path) => path.length + serialize(analysis).length,
});

export default function task(task: Task): TaskResult & { thread: number; cacheBytes: number } {
  const result = runTask(task, analyseFile, (path, analyse) => {
    const known = cache.get(path);
    if (known !== undefined) return known;
    const analysis = analyse(path);
    cache.set(path, analysis);
    return analysis;
  });
  return { ...result, thread: threadId, cacheBytes: cache.calculatedSize };
}
