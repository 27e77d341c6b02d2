/** One request: everything that comes with importing one file, added up. */
import { threadId } from 'node:worker_threads';
import type { FileAnalysis } from './analyse.js';

/** What importing an entry brings in, itself included. */
export interface Closure {
  readonly files: number;
  readonly bytes: number;
  readonly gzipBytes: number;
  readonly brotliBytes: number;
  readonly functions: number;
  readonly unresolved: number;
}

/** Follows imports from `entry` to every file below `root`; `lookup` analyses a file or remembers its analysis. */
export function closureOf(entry: string, root: string, lookup: (path: string) => FileAnalysis): Closure {
  const sum = { files: 0, bytes: 0, gzipBytes: 0, brotliBytes: 0, functions: 0, unresolved: 0 };
  const reached = new Set([entry]);
  const waiting = [entry];
  while (waiting.length > 0) {
    const path = takeOne(waiting);
    const analysis = lookup(path);
    sum.files += 1;
    sum.bytes += analysis.bytes;
    sum.gzipBytes += analysis.gzipBytes;
    sum.brotliBytes += analysis.brotliBytes;
    sum.functions += analysis.functions;
    sum.unresolved += analysis.unresolved.length;
    for (const target of analysis.imports) {
      if (!target.startsWith(root) || reached.has(target)) continue;
      reached.add(target);
      waiting.push(target);
    }
  }
  return sum;
}

/**
 * Removes and returns one of the waiting paths, each thread another one: threads that followed the same imports in the same
 * order would only ever wait for each other's analysis of the next file.
 */
function takeOne(waiting: string[]): string {
  const index = Math.imul(threadId, 0x9e3779b1) >>> 0;
  const place = index % waiting.length;
  const path = waiting[place] as string;
  waiting[place] = waiting[waiting.length - 1] as string;
  waiting.pop();
  return path;
}
