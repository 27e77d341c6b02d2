/** One request: everything that comes with importing one file, added up. */
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
  // A Set's iterator goes on to what is added while it runs: this loop ends when no import leads to a new file.
  for (const path of reached) {
    const analysis = lookup(path);
    sum.files += 1;
    sum.bytes += analysis.bytes;
    sum.gzipBytes += analysis.gzipBytes;
    sum.brotliBytes += analysis.brotliBytes;
    sum.functions += analysis.functions;
    sum.unresolved += analysis.unresolved.length;
    for (const target of analysis.imports) if (target.startsWith(root)) reached.add(target);
  }
  return sum;
}
