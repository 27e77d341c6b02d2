import { constants } from 'node:os';
import { SharedCacheError } from '../errors.js';

/** What the system's C library wants where systems differ. `struct flock` is given by its size and its fields' offsets. */
export interface Platform {
  readonly mapAnonymous: number;
  readonly setLock: number;
  readonly getLock: number;
  readonly readLock: number;
  readonly writeLock: number;
  readonly noLock: number;
  readonly flockBytes: number;
  readonly typeByte: number;
  readonly startByte: number;
  readonly lengthByte: number;
  /** Whether it has posix_fallocate. */
  readonly reserves: boolean;
}

/** The same for all processors of 64 bits; those of 32 have other structures and other calls. */
const LINUX: Platform = {
  // MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE
  mapAnonymous: 0x02 | 0x10 | 0x20 | 0x4000,
  setLock: 37,
  getLock: 36,
  readLock: 0,
  writeLock: 1,
  noLock: 2,
  flockBytes: 32,
  typeByte: 0,
  startByte: 8,
  lengthByte: 16,
  reserves: true,
};

/** By the headers of its SDK; no test has run there. */
const DARWIN: Platform = {
  // MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE | MAP_ANON
  mapAnonymous: 0x02 | 0x10 | 0x40 | 0x1000,
  setLock: 90,
  getLock: 92,
  readLock: 1,
  writeLock: 3,
  noLock: 2,
  flockBytes: 24,
  typeByte: 20,
  startByte: 0,
  lengthByte: 8,
  reserves: false,
};

const ARCHITECTURES: readonly string[] = ['x64', 'arm64', 'riscv64', 'loong64'];

/** Throws ERR_UNSUPPORTED_PLATFORM. */
export function platformOf(name: string, architecture: string): Platform {
  if (ARCHITECTURES.includes(architecture)) {
    if (name === 'linux') return LINUX;
    if (name === 'darwin') return DARWIN;
  }
  throw new SharedCacheError(
    'ERR_UNSUPPORTED_PLATFORM',
    `SharedCache.open needs Linux or macOS on ${ARCHITECTURES.join(', ')}; this is ${name} on ${architecture}. A cache of one process, new SharedCache(), works here`,
  );
}

/** The system's name of an error number. */
export function errorName(number: number): string {
  return Object.entries(constants.errno).find(([, value]) => value === number)?.[0] ?? `error ${number}`;
}
