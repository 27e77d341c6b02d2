import { createHash } from 'node:crypto';
import { fsyncSync, readSync, writeSync } from 'node:fs';
import { PAGE_BYTES, roundToPages } from './mapping.js';

/**
 * The file's first page, before the regions. It is read and written as a file, not mapped.
 *
 *   ┌───────┬─────────────┬───────────────┬───────┬───────┬─────────┬──────────────┬──────────────┬────────┬──────────────┬─────────┐
 *   │ magic │ fileVersion │ layoutVersion │ state │ clean │ boot id │ region count │ option bytes │ digest │ region sizes │ options │
 *   └───────┴─────────────┴───────────────┴───────┴───────┴─────────┴──────────────┴──────────────┴────────┴──────────────┴─────────┘
 *
 * The digest is over what never changes: the versions, the sizes and the options. Magic and versions stay where they are in
 * all versions to come.
 */
const AT = {
  magic: 0,
  fileVersion: 8,
  layoutVersion: 12,
  state: 16,
  clean: 20,
  /** 36 characters. */
  bootId: 24,
  regionCount: 64,
  optionBytes: 68,
  digest: 72,
  sizes: 128,
  options: 16_384,
} as const;

const MAGIC = Buffer.from('MOONFILE', 'latin1');
const FILE_VERSION = 1;
/** What is above it is damage, not a version to come. */
const LAST_FILE_VERSION = 1_000;
const BOOT_ID_BYTES = 36;
const DIGEST_BYTES = 32;
const MAX_REGIONS = (AT.options - AT.sizes) / 8;
export const MAX_OPTION_BYTES = PAGE_BYTES - AT.options;

const STATE = { making: 1, ready: 2 } as const;

/** What a new file is to be. */
export interface Description {
  readonly layoutVersion: number;
  /** Bytes of each region. */
  readonly sizes: readonly number[];
  /** The options the cache was made with, as text that only the cache reads. */
  readonly options: string;
}

export type Found =
  | { readonly kind: 'empty' }
  /** Somebody else's file. */
  | { readonly kind: 'foreign' }
  /** A cache file of another version of the library. */
  | { readonly kind: 'other version'; readonly version: string }
  /** Its maker died before it was done. */
  | { readonly kind: 'unfinished' }
  /** A cache file that is damaged. */
  | { readonly kind: 'senseless' }
  | { readonly kind: 'ready'; readonly description: Description; readonly bootId: string; readonly isClean: boolean };

/** Bytes of a file with such regions. */
export function fileBytes(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + roundToPages(size), PAGE_BYTES);
}

/** Writes the whole page with the state `making`, of a cache that is not clean. */
export function writeHeader(descriptor: number, description: Description, bootId: string): void {
  const { sizes, options, layoutVersion } = description;
  const page = Buffer.alloc(PAGE_BYTES);
  page.set(MAGIC, AT.magic);
  page.writeInt32LE(FILE_VERSION, AT.fileVersion);
  page.writeInt32LE(layoutVersion, AT.layoutVersion);
  page.writeInt32LE(STATE.making, AT.state);
  page.write(bootId, AT.bootId, BOOT_ID_BYTES, 'latin1');
  page.writeInt32LE(sizes.length, AT.regionCount);
  page.writeInt32LE(page.write(options, AT.options, 'utf8'), AT.optionBytes);
  for (const [i, size] of sizes.entries()) page.writeDoubleLE(size, AT.sizes + 8 * i);
  page.set(digestOf(page), AT.digest);
  for (let done = 0; done < PAGE_BYTES; ) done += writeSync(descriptor, page, done, PAGE_BYTES - done, done);
}

/** The word that makes it a cache for others. */
export function writeReady(descriptor: number): void {
  writeWord(descriptor, AT.state, STATE.ready);
}

/** After all of the file was written to its disk. */
export function writeClean(descriptor: number): void {
  fsyncSync(descriptor);
  writeWord(descriptor, AT.clean, 1);
  fsyncSync(descriptor);
}

/** Takes the mark away, on the disk before anything of the content is; a file without it is left alone. */
export function clearClean(descriptor: number, bootId: string): void {
  const word = Buffer.alloc(4);
  readSync(descriptor, word, 0, 4, AT.clean);
  if (word.readInt32LE() === 0) return;
  writeWord(descriptor, AT.clean, 0);
  writeSync(descriptor, bootId.padEnd(BOOT_ID_BYTES, '\0'), AT.bootId, 'latin1');
  fsyncSync(descriptor);
}

/** Believes nothing. `length` is the file's; `layoutVersion` is what this library can use. */
export function readHeader(descriptor: number, length: number, layoutVersion: number): Found {
  if (length === 0) return { kind: 'empty' };
  const page = Buffer.alloc(PAGE_BYTES);
  const read = readSync(descriptor, page, 0, PAGE_BYTES, 0);
  if (!page.subarray(0, MAGIC.length).equals(MAGIC)) return { kind: 'foreign' };
  if (read < AT.options) return { kind: 'senseless' };
  const fileVersion = page.readInt32LE(AT.fileVersion);
  const layout = page.readInt32LE(AT.layoutVersion);
  const version = `file version ${fileVersion}, layout version ${layout}; this library has ${FILE_VERSION} and ${layoutVersion}`;
  // Where it has its digest is not known here, and it is not to be taken for a damaged one.
  if (fileVersion > FILE_VERSION && fileVersion <= LAST_FILE_VERSION) return { kind: 'other version', version };
  if (!digestOf(page).equals(page.subarray(AT.digest, AT.digest + DIGEST_BYTES))) return { kind: 'senseless' };
  if (fileVersion !== FILE_VERSION || layout !== layoutVersion) return { kind: 'other version', version };
  const state = page.readInt32LE(AT.state);
  if (state === STATE.making) return { kind: 'unfinished' };
  const sizes = Array.from({ length: page.readInt32LE(AT.regionCount) }, (_, i) => page.readDoubleLE(AT.sizes + 8 * i));
  if (state !== STATE.ready || length !== fileBytes(sizes)) return { kind: 'senseless' };
  const options = page.toString('utf8', AT.options, AT.options + page.readInt32LE(AT.optionBytes));
  return {
    kind: 'ready',
    description: { layoutVersion, sizes, options },
    bootId: page.toString('latin1', AT.bootId, AT.bootId + BOOT_ID_BYTES).replaceAll('\0', ''),
    isClean: page.readInt32LE(AT.clean) === 1,
  };
}

function digestOf(page: Buffer): Buffer {
  const regions = Math.min(Math.max(page.readInt32LE(AT.regionCount), 0), MAX_REGIONS);
  const optionBytes = Math.min(Math.max(page.readInt32LE(AT.optionBytes), 0), MAX_OPTION_BYTES);
  return createHash('sha256')
    .update(page.subarray(AT.fileVersion, AT.state))
    .update(page.subarray(AT.regionCount, AT.digest))
    .update(page.subarray(AT.sizes, AT.sizes + 8 * regions))
    .update(page.subarray(AT.options, AT.options + optionBytes))
    .digest();
}

function writeWord(descriptor: number, at: number, word: number): void {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(word);
  writeSync(descriptor, bytes, 0, 4, at);
}
