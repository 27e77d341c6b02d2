import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What must not outlive the process. */
const pending = new Set<() => void>();
let listening = false;

function releaseAll(): void {
  // Newest first: a server before the directory it lives in.
  for (const release of [...pending].reverse()) {
    pending.delete(release);
    try {
      release();
    } catch (error) {
      // The others must still go.
      console.error(error);
    }
  }
}

/** Dies of the signal itself, not by exit(): that would wait for threads, and some rivals' never end. */
function interrupted(signal: NodeJS.Signals): void {
  releaseAll();
  for (const each of SIGNALS) process.off(each, interrupted);
  process.kill(process.pid, signal);
}

/**
 * Has `release`, which must be synchronous, called when the process ends: normally, by an exception or by SIGINT, SIGTERM or
 * SIGHUP. Returns a function that calls it at once instead. It is called once in all.
 */
export function atEnd(release: () => void): () => void {
  if (!listening) {
    listening = true;
    process.on('exit', releaseAll);
    for (const signal of SIGNALS) process.on(signal, interrupted);
  }
  pending.add(release);
  return () => {
    if (pending.delete(release)) release();
  };
}

export interface TemporaryDirectory {
  readonly path: string;
  remove(): void;
}

/** A new directory in `parent` that is gone, with all in it, when the process is. */
export function temporaryDirectory(parent: string, prefix: string): TemporaryDirectory {
  const path = mkdtempSync(join(parent, prefix));
  return { path, remove: atEnd(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 })) };
}
