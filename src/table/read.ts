import type { KeyEncoder } from '../codec/key.js';
import { ValueKind } from '../codec/kinds.js';
import { Slab } from '../codec/slab.js';
import { decodeDirect, isDirect, ownsCopy } from '../codec/value.js';
import { ENTRY, SHARD } from '../memory/layout.js';
import { readFence } from '../sync/seqlock.js';
import { findSlot, NO_SLOT } from './buckets.js';
import { readChained } from './chain.js';
import type { Draft } from './draft.js';
import {
  copyOut,
  expiryAt,
  isChained,
  isExtended,
  keyBytesOf,
  kindOf,
  paddedToWord,
  versionAt,
  wordOf,
} from './entry.js';
import { ExtrasCopy, MAX_EXTRA_BYTES, readExtras } from './extras.js';
import { ATTEMPTS } from './optimistic.js';
import type { Shard } from './shard.js';
import { Fate } from './tags.js';

const SCRATCH_BYTES = 64 * 1024;

export type ReadOutcome = 'found' | 'absent' | 'unavailable';

/**
 * What one thread last read: the entry's head, and its value either decoded (`direct`) or as a private copy of its bytes.
 * Nothing in it is believed before the shard's version was seen unchanged.
 */
export class Reading {
  slot = NO_SLOT;
  hash = 0;
  ref = 0;
  /** How often entries of this hash had changed. */
  changes = 0;
  kind = 0;
  lengthBytes = 0;
  expiresAt = 0;
  version = 0;
  /** The number of the last invalidation when this was read, for what has extras. */
  invalidation = 0;
  /** Whether the entry has extras; what they are is in `extras`. */
  isExtended = false;
  direct: unknown = undefined;
  isDirect = false;
  /** Private bytes [0, lengthBytes) when not direct; reused by the next reading unless the kind owns its copy. */
  copy: Buffer;
  #extras: ExtrasCopy | undefined;
  #scratch: Buffer = Buffer.alloc(SCRATCH_BYTES);
  readonly #slab = new Slab();

  constructor() {
    this.copy = this.#scratch;
  }

  get extras(): ExtrasCopy {
    this.#extras ??= new ExtrasCopy(MAX_EXTRA_BYTES);
    return this.#extras;
  }

  /** Word index of the policy's word in the entry's head. */
  get policyWord(): number {
    return wordOf(this.ref) + ENTRY.policy;
  }

  target(kind: number, lengthBytes: number): Buffer {
    if (kind === ValueKind.buffer) return this.#slab.take(lengthBytes);
    // allocUnsafeSlow: a buffer of its own, so that a typed array on it exposes nobody else's bytes.
    if (ownsCopy(kind) || lengthBytes > SCRATCH_BYTES) return Buffer.allocUnsafeSlow(lengthBytes);
    return this.#scratch;
  }
}

/** Whether the entry that was read is neither expired nor ended by a tag. */
export function isLive(shard: Shard, reading: Reading): boolean {
  return !shard.clock.hasExpired(reading.expiresAt) && fateOf(shard, reading) === Fate.none;
}

/** What invalidations did to the entry that was read. */
export function fateOf(shard: Shard, reading: Reading): Fate {
  return reading.isExtended ? shard.tags.fate(reading.extras.words) : Fate.none;
}

/** What a read would find of the entry this thread has just stored in the slot, but for the value. */
export function noteStoredLocked(shard: Shard, slot: number, draft: Draft, into: Reading): void {
  const { hash } = draft.key;
  into.slot = slot;
  into.hash = hash;
  into.ref = shard.words[shard.memory.refWord(slot)];
  into.changes = shard.memory.changesOf(hash);
  into.lengthBytes = draft.lengthBytes;
  into.expiresAt = draft.expiresAt;
  into.version = draft.version;
  into.isExtended = draft.isExtended;
  into.invalidation = draft.begun;
}

/**
 * Reads the key's entry without a lock: remember the version, read, and believe it if the version is still the same.
 * After too many writers in between, or a dead one, it reads under the lock. 'unavailable': the lock timed out. As
 * readConsistently, written out since every get goes through here, and without another attempt at what makes no sense.
 */
export function read(shard: Shard, key: KeyEncoder, into: Reading, withValue: boolean): ReadOutcome {
  const m = shard.words;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const version = Atomics.load(m, SHARD.lock);
    if (version < 0) continue;
    const whole = snapshot(shard, key, into, withValue, version);
    readFence();
    if (Atomics.load(m, SHARD.lock) !== version) continue;
    if (whole) return into.slot === NO_SLOT ? 'absent' : 'found';
    // Makes no sense, and nobody wrote: trying again would find the same.
    break;
  }
  if (!shard.lock()) return 'unavailable';
  let completed = false;
  try {
    // An entry whose lengths make no sense even under the lock is corrupted: to the caller it is a miss.
    if (!snapshot(shard, key, into, withValue, m[SHARD.lock])) into.slot = NO_SLOT;
    completed = true;
  } finally {
    shard.unlock(completed);
  }
  return into.slot === NO_SLOT ? 'absent' : 'found';
}

/**
 * Copies what the key's entry says; false when it makes no sense. Safe against any writer: loops are bounded, lengths are
 * checked against the shard before use, and only latin1 (which any bytes are) is decoded from memory that may be changing.
 */
function snapshot(shard: Shard, key: KeyEncoder, into: Reading, withValue: boolean, version: number): boolean {
  const slot = findSlot(shard, key);
  into.slot = slot;
  into.hash = key.hash;
  if (slot === NO_SLOT) return true;
  const m = shard.words;
  into.changes = shard.memory.changesOf(key.hash);
  const ref = m[shard.memory.refWord(slot)];
  if (!shard.heap.isInside(ref)) return false;
  return snapshotEntry(shard, ref, into, withValue, version);
}

/**
 * The same for an entry whose ref is known. `version` is the lock word the caller read before: a long value is only
 * allocated for while it is still that, since a torn length could ask for a gigabyte.
 */
export function snapshotEntry(shard: Shard, ref: number, into: Reading, withValue: boolean, version: number): boolean {
  const m = shard.words;
  const word = wordOf(ref);
  const meta = m[word + ENTRY.meta];
  const lengthBytes = m[word + ENTRY.valueBytes];
  into.ref = ref;
  into.kind = kindOf(meta);
  into.lengthBytes = lengthBytes;
  into.expiresAt = expiryAt(m, word);
  into.version = versionAt(m, word);
  into.isExtended = isExtended(meta);
  let from = paddedToWord(keyBytesOf(meta));
  if (into.isExtended) {
    into.invalidation = shard.tags.now();
    if (!readExtras(shard, ref, into.extras)) return false;
    from += into.extras.lengthBytes;
    into.lengthBytes -= into.extras.lengthBytes;
  }
  return !withValue || snapshotValue(shard, word, from, into, version);
}

/** The same for the value, whose bytes begin `from` bytes after the payload's start. */
function snapshotValue(shard: Shard, word: number, from: number, into: Reading, version: number): boolean {
  const m = shard.words;
  const { lengthBytes } = into;
  const meta = m[word + ENTRY.meta];
  if (lengthBytes < 0 || lengthBytes > shard.bytes.length) return false;
  if (lengthBytes > SCRATCH_BYTES && Atomics.load(m, SHARD.lock) !== version) return false;
  into.isDirect = isDirect(into.kind) && !isChained(meta);
  if (isChained(meta)) {
    into.copy = into.target(into.kind, lengthBytes);
    return lengthBytes === 0 || readChained(shard, into.ref, from, into.copy, lengthBytes);
  }
  const byte = ((word + ENTRY.headWords) << 2) + from;
  if (byte + lengthBytes > shard.bytes.length) return false;
  if (into.isDirect) {
    into.direct = decodeDirect(into.kind, shard.bytes, byte, lengthBytes);
  } else {
    into.copy = into.target(into.kind, lengthBytes);
    copyOut(shard, byte, into.copy, 0, lengthBytes);
  }
  return true;
}
