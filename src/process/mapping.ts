import { SharedCacheError } from '../errors.js';
import type { Native } from './native.js';

/** A page of WebAssembly memory; a multiple of every system's page. Regions of the file begin at a multiple of it. */
export const PAGE_BYTES = 65_536;

/** As much of it as is used here; the types of Node 20 do not have it. */
declare const WebAssembly: {
  Memory: new (limits: { initial: number; maximum: number; shared: true }) => { readonly buffer: SharedArrayBuffer };
};

const MAP_SHARED = 0x01;
const MAP_FIXED = 0x10;

export function roundToPages(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
}

/**
 * Regions of the file as shared memory, one after the other from `offset` on, each rounded up to whole pages; at most 4 GiB
 * each. A shared WebAssembly.Memory gives memory that begins at a page and is a real SharedArrayBuffer; the file is mapped
 * over it. V8 keeps the memory while anybody in any thread has the buffer or a view of it, and unmaps it after that.
 */
export function mapRegions(
  native: Native,
  descriptor: number,
  offset: number,
  sizes: readonly number[],
): SharedArrayBuffer[] {
  return sizes.map((size) => {
    const length = roundToPages(size);
    const buffer = allocate(length);
    if (!native.map(addressOf(buffer), length, MAP_SHARED | MAP_FIXED, descriptor, offset)) {
      throw new SharedCacheError('ERR_NO_MAPPING', `the system refuses to map ${length} bytes of the file`);
    }
    offset += length;
    return buffer;
  });
}

/**
 * Takes the file away from under the buffers, and empty memory takes its place: V8 would keep the file's memory until it
 * collects garbage, for which a closed cache is no reason to it. Nobody may use them any more, but who does is not killed.
 */
export function unmapRegions(native: Native, buffers: readonly SharedArrayBuffer[]): void {
  for (const buffer of buffers) {
    native.map(addressOf(buffer), buffer.byteLength, native.platform.mapAnonymous, -1, 0);
  }
}

function allocate(bytes: number): SharedArrayBuffer {
  const pages = bytes / PAGE_BYTES;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }).buffer;
  } catch (cause) {
    throw new SharedCacheError('ERR_NO_MAPPING', `the system refuses address space for ${bytes} bytes`, { cause });
  }
}

function addressOf(buffer: SharedArrayBuffer): Uint8Array {
  return new Uint8Array(buffer, 0, 1);
}
