import { closeSync, fstatSync, fsyncSync, ftruncateSync, unlinkSync } from 'node:fs';
import { SharedCacheError } from '../errors.js';
import { openAgain } from './again.js';
import { bootId } from './boot.js';
import { ByteLocks, LOCK } from './byte-locks.js';
import {
  clearClean,
  type Description,
  type Found,
  fileBytes,
  MAX_OPTION_BYTES,
  readHeader,
  writeHeader,
  writeReady,
} from './header.js';
import { mapRegions, PAGE_BYTES, unmapRegions } from './mapping.js';
import { native } from './native.js';
import { lockOpening } from './opening.js';
import {
  asInvalidFile,
  checkFolder,
  checkPath,
  createEmpty,
  foreignFile,
  invalidFile,
  isNameOf,
  keepForOwner,
  openOwn,
} from './path.js';
import { Place } from './place.js';
import { checkSpace, reserve } from './reserve.js';

/** What a call of open found: nothing, a cache that others use, one that nobody uses, one that cannot be used. */
export type Origin = 'new' | 'joined' | 'warm' | 'discarded';

/** What the file is to hold, from somebody who knows it. The calls come in this order, all while no other process decides. */
export interface Content<Made> {
  readonly layoutVersion: number;
  /** Whether the cache must be there: nothing is made, and a file that cannot be used is left as it is. */
  readonly mustExist?: boolean;
  /** What a new file is to be. Called before anything is changed, so it may throw. */
  describe(): Omit<Description, 'layoutVersion'>;
  /** Makes the regions of a new file, all zeros, a cache. */
  fill(buffers: readonly SharedArrayBuffer[]): void;
  /** The text of a file's options, read once for the calls below. */
  read(options: string): Made;
  /** Whether the regions hold a cache. */
  isSound(buffers: readonly SharedArrayBuffer[], made: Made): boolean;
  /** Throws when the cache was made with other options than are asked for. */
  agree(made: Made): void;
  /** Nobody uses the cache: makes it ready for the first who does. `rebooted`: the machine was started anew since. */
  revive(buffers: readonly SharedArrayBuffer[], made: Made, rebooted: boolean): void;
}

export interface Opened<Made> {
  readonly place: Place;
  readonly origin: Origin;
  /** The options that the cache was made with. */
  readonly made: Made;
}

/** Files that are removed and made anew while one is being opened, before that is taken for a fault. */
const MAX_ATTEMPTS = 1_000;

/**
 * Opens a cache file, whichever process comes first.
 *
 * All that is decided is decided under the lock of the file's opening byte, which the kernel takes from a process that dies.
 * A file is made in place: a header page that says so, then the space, then the content, last the word that makes it ready.
 * Who finds it without that word, and nobody at work, makes it anew. So there is no temporary file and no lock file, and a
 * death at any step leaves what the next open can deal with.
 *
 * Whether a cache is in use is told by shared locks of the presence byte. A file in use is never written to by somebody who
 * opens it: if it makes no sense, it only loses its name. The name may change hands while one waits for the lock, so it is
 * looked at again.
 *
 * Throws ERR_UNSUPPORTED_PLATFORM, ERR_NO_MAPPING, ERR_INVALID_ARGUMENT, ERR_INVALID_FILE, ERR_NO_SPACE, ERR_LOCK_TIMEOUT,
 * and what `content` throws.
 */
export function openFile<Made>(given: string, content: Content<Made>): Opened<Made> {
  native();
  const path = checkPath(given);
  checkFolder(path);
  const history = { created: false, discarded: false };
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const descriptor = openOwn(path);
    if (descriptor === undefined) {
      if (content.mustExist === true) throw invalidFile(path, 'there is no such file');
      describe(content);
      if (createEmpty(path)) history.created = true;
      continue;
    }
    let opened: Opened<Made> | undefined;
    try {
      opened = asInvalidFile(path, () => openDescriptor(path, descriptor, content, history));
    } finally {
      if (opened === undefined) closeSync(descriptor);
    }
    if (opened !== undefined) return opened;
  }
  throw invalidFile(path, `its name was given to another file ${MAX_ATTEMPTS} times while it was opened`);
}

/** undefined: the path leads to another file by now, or to none. The caller closes the descriptor then. */
function openDescriptor<Made>(
  path: string,
  descriptor: number,
  content: Content<Made>,
  history: { created: boolean; discarded: boolean },
): Opened<Made> | undefined {
  const locks = new ByteLocks(native(), descriptor);
  lockOpening(locks, path);
  const stats = fstatSync(descriptor);
  if (!isNameOf(path, stats)) return undefined;
  const found = readHeader(descriptor, stats.size, content.layoutVersion);
  checkIsCache(path, found);
  keepForOwner(descriptor, stats);
  const inUse = locks.isHeldElsewhere(LOCK.presence);
  const opened = enter(path, descriptor, locks, content, found, inUse);
  if (opened === undefined && content.mustExist === true) throw invalidFile(path, problemOf(found));
  if (opened === undefined && inUse) {
    unlinkSync(path);
    history.discarded = true;
    return undefined;
  }
  const isNew = (found.kind === 'empty' || found.kind === 'unfinished') && !history.discarded;
  const result = opened ?? make(path, descriptor, locks, content, isNew ? 'new' : 'discarded', history.created);
  locks.unlock(LOCK.opening);
  return result;
}

/** Throws ERR_INVALID_FILE. */
export function checkIsCache(path: string, found: Found): void {
  if (found.kind === 'foreign') throw foreignFile(path);
  if (found.kind === 'other version') {
    throw invalidFile(
      path,
      `it was made by another version of mooncake-cache (${found.version}); SharedCache.remove(path) takes it away`,
    );
  }
}

/** Why a file that is not to be made anew cannot be used. */
function problemOf({ kind }: Found): string {
  if (kind === 'empty') return 'it is empty';
  if (kind === 'unfinished') return 'the process that made it died before it was done';
  return 'it is damaged, or was left by a machine that went down; an open without mustExist discards it';
}

/** Joins the cache that is there, or revives it; undefined when it cannot be used. */
function enter<Made>(
  path: string,
  descriptor: number,
  locks: ByteLocks,
  content: Content<Made>,
  found: Found,
  inUse: boolean,
): Opened<Made> | undefined {
  if (found.kind !== 'ready') return undefined;
  const { description, isClean } = found;
  const currentBoot = bootId();
  // Who has it in use shares the kernel: a container may show a boot id of its own.
  const rebooted = !inUse && (currentBoot === '' || found.bootId !== currentBoot);
  if (rebooted && !isClean) return undefined;
  const made = content.read(description.options);
  const buffers = mapApart(path, descriptor, description.sizes);
  try {
    if (!content.isSound(buffers, made)) {
      unmapRegions(native(), buffers);
      return undefined;
    }
    content.agree(made);
    locks.tryShare(LOCK.presence);
    if (!inUse) {
      clearClean(descriptor, currentBoot);
      content.revive(buffers, made, rebooted);
    }
  } catch (error) {
    unmapRegions(native(), buffers);
    throw error;
  }
  const place = Place.ofOpener(path, descriptor, locks, buffers);
  return { place, origin: inUse ? 'joined' : 'warm', made };
}

/**
 * Maps the file by a description of its own. A mapping keeps its description, and with it the locks, after the descriptor was
 * closed: a thread that ends would seem to live as long as its process has the memory.
 */
function mapApart(path: string, descriptor: number, sizes: readonly number[]): SharedArrayBuffer[] {
  const apart = openAgain(path, fstatSync(descriptor));
  if (apart === undefined) throw invalidFile(path, 'it was removed while it was opened');
  try {
    return mapRegions(native(), apart, PAGE_BYTES, sizes);
  } finally {
    closeSync(apart);
  }
}

/** What a new file is to be. Throws ERR_INVALID_OPTION. */
function describe<Made>(content: Content<Made>): Description {
  const description = { layoutVersion: content.layoutVersion, ...content.describe() };
  if (Buffer.byteLength(description.options) <= MAX_OPTION_BYTES) return description;
  throw new SharedCacheError('ERR_INVALID_OPTION', `the options take more than ${MAX_OPTION_BYTES} bytes as text`);
}

/** Makes a cache of a file that nobody uses. A failure leaves an empty file, or none where there was none. */
function make<Made>(
  path: string,
  descriptor: number,
  locks: ByteLocks,
  content: Content<Made>,
  origin: Origin,
  created: boolean,
): Opened<Made> {
  const description = describe(content);
  const bytes = fileBytes(description.sizes);
  let buffers: SharedArrayBuffer[] = [];
  try {
    ftruncateSync(descriptor, 0);
    checkSpace(path, bytes);
    writeHeader(descriptor, description, bootId());
    // On the disk before the file grows: a machine that goes down meanwhile leaves a file that is known to be a cache's.
    fsyncSync(descriptor);
    reserve(native(), descriptor, path, PAGE_BYTES, bytes);
    locks.tryShare(LOCK.presence);
    buffers = mapApart(path, descriptor, description.sizes);
    content.fill(buffers);
    writeReady(descriptor);
  } catch (error) {
    unmapRegions(native(), buffers);
    ftruncateSync(descriptor, 0);
    if (created && isNameOf(path, fstatSync(descriptor))) unlinkSync(path);
    throw error;
  }
  return { place: Place.ofOpener(path, descriptor, locks, buffers), origin, made: content.read(description.options) };
}
