import { fileURLToPath } from 'node:url';
import { checkObject } from '../arguments.js';
import { checkFunction, describe, rejectUnknown, SharedCacheError } from '../errors.js';

/** How far a dump or a load has come. */
export interface SnapshotProgress {
  /** Entries written, or looked at. */
  entries: number;
  /** Bytes written or read. */
  bytes: number;
}

/** Settings of a dump or a load. */
export interface SnapshotOptions {
  /** Called every 100 ms or so, and once at the end. What it throws ends the work, and is what it rejects with. */
  onProgress?: ((progress: SnapshotProgress) => void) | undefined;
  /** Ends the work: it rejects with the signal's reason. A dump leaves no file then, a load what it has stored so far. */
  signal?: AbortSignal | undefined;
}

/** What a dump has done. */
export interface DumpReport {
  /** Entries written. */
  entries: number;
  /** Bytes of the file. */
  bytes: number;
  /** How long it took, ms. */
  durationMs: number;
}

/** What a load has done with the entries of the file. */
export interface LoadReport {
  /** Entries stored. */
  entries: number;
  /** Entries whose key was there already: the cache's own stayed. */
  present: number;
  /** Entries whose time was over. */
  expired: number;
  /** Entries that had no room, are too large for this cache, or are of a kind that this version does not know. */
  refused: number;
  /** How long it took, ms. */
  durationMs: number;
  /** What was wrong with the file, if something was: only what is whole was loaded. */
  damaged?: string;
}

const NAMES = ['onProgress', 'signal'] as const;

/** Throws ERR_INVALID_OPTION, ERR_INVALID_ARGUMENT. */
export function checkSnapshotOptions(options: SnapshotOptions): SnapshotOptions {
  checkObject(options, '{ onProgress, signal }');
  rejectUnknown(options, NAMES, 'option');
  const { onProgress, signal } = options;
  if (onProgress !== undefined) checkFunction('onProgress', onProgress);
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    throw new SharedCacheError('ERR_INVALID_ARGUMENT', `signal must be an AbortSignal, received ${describe(signal)}`);
  }
  return { onProgress, signal };
}

/** The path as a string. Throws ERR_INVALID_ARGUMENT. */
export function checkPath(file: unknown): string {
  const path = typeof file === 'string' ? file : pathOfUrl(file);
  if (path !== undefined && path.length > 0 && !path.includes('\0')) return path;
  throw new SharedCacheError('ERR_INVALID_ARGUMENT', `file must be a path or a file: URL, received ${describe(file)}`);
}

/** undefined for what is no URL of a file. */
function pathOfUrl(file: unknown): string | undefined {
  const { href, protocol } = (file ?? {}) as Partial<URL>;
  if (typeof href !== 'string' || protocol !== 'file:') return undefined;
  try {
    return fileURLToPath(href);
  } catch (cause) {
    throw new SharedCacheError(
      'ERR_INVALID_ARGUMENT',
      `file must be a path or a file: URL: ${(cause as Error).message}`,
      { cause },
    );
  }
}
