/** What the main thread sends to a worker, and what comes back: the same for all three ways to cache. */

import type { FileAnalysis } from './analyse.js';
import { type Closure, closureOf } from './closure.js';

export interface Task {
  readonly entry: string;
  readonly root: string;
}

export interface TaskResult {
  readonly closure: Closure;
  /** Files asked for, and how many of them had to be analysed. */
  readonly lookups: number;
  readonly computations: number;
}

/** Runs one request, counting; `lookup` gets a function that analyses and counts. */
export function runTask(
  { entry, root }: Task,
  analyse: (path: string) => FileAnalysis,
  lookup: (path: string, analyse: (path: string) => FileAnalysis) => FileAnalysis,
): TaskResult {
  let computations = 0;
  const counted = (path: string): FileAnalysis => {
    computations += 1;
    return analyse(path);
  };
  const closure = closureOf(entry, root, (path) => lookup(path, counted));
  return { closure, lookups: closure.files, computations };
}
