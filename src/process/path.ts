import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  openSync,
  type Stats,
  statfsSync,
  statSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describe, SharedCacheError } from '../errors.js';

const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, S_IWOTH } = constants;
/** The sticky bit of a folder: only its owner may remove or rename a file in it. */
const S_ISVTX = 0o1000;
const OWNER_ONLY = 0o600;
const PERMISSIONS = 0o777;

/** NFS, CIFS, SMB2, Ceph: memory that is mapped from there is not the same on all machines. */
const NETWORK_FILE_SYSTEMS: readonly number[] = [0x6969, 0xff534d42, 0xfe534d42, 0x00c36400];

/** Which file it is, whatever its name. */
export interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}

/** The absolute path. Throws ERR_INVALID_ARGUMENT, and ERR_INVALID_FILE for a relative one in a folder that was removed. */
export function checkPath(path: unknown): string {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new SharedCacheError(
      'ERR_INVALID_ARGUMENT',
      `path must be a string of one character or more, none of them NUL, received ${describe(path)}`,
    );
  }
  return asInvalidFile(path, () => resolve(path));
}

/** A folder in which anybody may replace anybody's files is no place for it. Throws ERR_INVALID_FILE. */
export function checkFolder(path: string): void {
  const folder = dirname(path);
  const { mode } = asInvalidFile(path, () => statSync(folder));
  if ((mode & S_IWOTH) !== 0 && (mode & S_ISVTX) === 0) {
    throw invalidFile(
      path,
      `its folder ${folder} lets every user replace the files of others (it is world-writable without the sticky bit)`,
    );
  }
  if (NETWORK_FILE_SYSTEMS.includes(statfsSync(folder).type >>> 0)) {
    throw invalidFile(
      path,
      `its folder ${folder} is on a network file system, whose memory is not shared by all machines`,
    );
  }
}

/** Opens the file for reading and writing; undefined when there is none. Throws ERR_INVALID_FILE unless it is one's own. */
export function openOwn(path: string): number | undefined {
  // Looked at first: opening a device or a pipe may have effects.
  const before = asInvalidFile(path, () => lstatSync(path, { throwIfNoEntry: false }));
  if (before === undefined) return undefined;
  checkKind(path, before);
  const descriptor = asInvalidFile(path, () => tryOpen(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK, 'ENOENT'));
  if (descriptor === undefined) return undefined;
  try {
    checkKind(path, fstatSync(descriptor));
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Takes the rights of others away, once it is known that the file is a cache's. */
export function keepForOwner(descriptor: number, { mode }: Stats): void {
  if ((mode & PERMISSIONS) !== OWNER_ONLY) fchmodSync(descriptor, OWNER_ONLY);
}

/** Makes an empty file; false when there is one already. Throws ERR_INVALID_FILE. */
export function createEmpty(path: string): boolean {
  const descriptor = asInvalidFile(path, () =>
    tryOpen(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 'EEXIST', OWNER_ONLY),
  );
  if (descriptor === undefined) return false;
  closeSync(descriptor);
  return true;
}

/** Whether the path leads to this open file now. */
export function isNameOf(path: string, { dev, ino }: FileIdentity): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats !== undefined && stats.dev === dev && stats.ino === ino;
}

export function invalidFile(path: string, why: string, cause?: unknown): SharedCacheError {
  return new SharedCacheError('ERR_INVALID_FILE', `the cache file ${path} cannot be used: ${why}`, { cause });
}

/** A file that no cache was ever made of. */
export function foreignFile(path: string): SharedCacheError {
  return invalidFile(path, 'it is not one of a cache');
}

/** What the system answers to a path becomes an error of this library. */
export function asInvalidFile<T>(path: string, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    if (cause instanceof SharedCacheError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new SharedCacheError('ERR_NO_SPACE', `there is no room for the cache file ${path}: ${message}`, { cause });
    }
    throw invalidFile(path, message, cause);
  }
}

function checkKind(path: string, stats: Stats): void {
  if (stats.isSymbolicLink()) throw invalidFile(path, 'it is a symbolic link');
  if (!stats.isFile()) throw invalidFile(path, 'it is no regular file');
  const user = process.geteuid?.();
  if (stats.uid !== user) throw invalidFile(path, `it belongs to user ${stats.uid}, this process runs as user ${user}`);
}

/** undefined for the one error that is expected. */
function tryOpen(path: string, flags: number, expected: string, mode?: number): number | undefined {
  try {
    return openSync(path, flags, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === expected) return undefined;
    throw error;
  }
}
