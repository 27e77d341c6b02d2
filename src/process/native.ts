import { SharedCacheError } from '../errors.js';
import { loadPackage } from '../installed.js';
import { type Platform, platformOf } from './platform.js';

/** The three functions of the C library that Node does not offer itself. */
export interface Native {
  readonly platform: Platform;
  /** mmap with read and write access; false when it failed. */
  map(address: Uint8Array, length: number, flags: number, descriptor: number, offset: number): boolean;
  /** posix_fallocate: 0 or the number of the error. Only where the platform has it. */
  reserve(descriptor: number, offset: number, length: number): number;
  /** fcntl with a pointer: -1 when it failed. */
  control(descriptor: number, command: number, argument: Uint8Array): number;
}

type Calls = Omit<Native, 'platform'>;
/** Gives the functions, or throws when it cannot. */
export type NativeSource = (platform: Platform) => Calls;

const READ_AND_WRITE = 3;

/** The package koffi, 3 or later. */
const koffi: NativeSource = ({ reserves }) => {
  const { load } = loadPackage<KoffiModule>('koffi');
  const library = load(null);
  const mmap = library.func('int64 mmap(void *address, size_t length, int access, int flags, int file, int64 offset)');
  const fallocate = reserves
    ? library.func('int posix_fallocate(int file, int64 offset, int64 length)')
    : () => Number.NaN;
  const fcntl = library.func('int fcntl(int file, int command, ...)');
  return {
    map: (address, length, flags, descriptor, offset) =>
      Number(mmap(address, length, READ_AND_WRITE, flags, descriptor, offset)) !== -1,
    reserve: (descriptor, offset, length) => Number(fallocate(descriptor, offset, length)),
    control: (descriptor, command, argument) => Number(fcntl(descriptor, command, 'void *', argument)),
  };
};

interface KoffiModule {
  load(path: null): { func(signature: string): (...values: unknown[]) => unknown };
}

/** Node's own module, where the running Node has it. It knows no variadic functions, which matters on macOS only. */
const nodeFfi: NativeSource = ({ reserves }) => {
  const ffi = (process.getBuiltinModule as (name: string) => FfiModule | undefined)('node:ffi');
  if (ffi === undefined || !reserves) throw new Error('this Node has no node:ffi');
  const { functions } = ffi.dlopen(null, {
    mmap: { arguments: ['pointer', 'uint64', 'int32', 'int32', 'int32', 'int64'], return: 'int64' },
    posix_fallocate: { arguments: ['int32', 'int64', 'int64'], return: 'int32' },
    fcntl: { arguments: ['int32', 'int32', 'pointer'], return: 'int32' },
  });
  const { mmap, posix_fallocate: fallocate, fcntl } = functions;
  return {
    map: (address, length, flags, descriptor, offset) =>
      Number(mmap(address, BigInt(length), READ_AND_WRITE, flags, descriptor, BigInt(offset))) !== -1,
    reserve: (descriptor, offset, length) => Number(fallocate(descriptor, BigInt(offset), BigInt(length))),
    control: (descriptor, command, argument) => Number(fcntl(descriptor, command, argument)),
  };
};

interface FfiModule {
  dlopen(
    path: null,
    definitions: Record<string, { arguments: readonly string[]; return: string }>,
  ): { functions: Record<string, (...values: unknown[]) => unknown> };
}

/** In the order they are tried: koffi is stable and says nothing, node:ffi warns that it is experimental. */
export const SOURCES: readonly NativeSource[] = [koffi, nodeFfi];

/** Throws ERR_UNSUPPORTED_PLATFORM, ERR_NO_MAPPING. */
export function loadNative(
  sources: readonly NativeSource[],
  name: string = process.platform,
  architecture: string = process.arch,
): Native {
  const platform = platformOf(name, architecture);
  const causes: unknown[] = [];
  for (const source of sources) {
    try {
      return { platform, ...source(platform) };
    } catch (cause) {
      causes.push(cause);
    }
  }
  throw new SharedCacheError(
    'ERR_NO_MAPPING',
    'SharedCache.open maps a file into memory, for which Node needs the package koffi, 3 or later (npm install koffi), or its own module node:ffi (Node 26, built with it); neither can be loaded. Under the permission model the one needs --allow-addons, the other --allow-ffi',
    { cause: new AggregateError(causes) },
  );
}

let loaded: Native | undefined;

/** Loaded by the first call of a thread, so that nobody loads it who opens no file. */
export function native(): Native {
  loaded ??= loadNative(SOURCES);
  return loaded;
}
