import type { KeyEncoder } from '../codec/key.js';
import { ENTRY, REF_SHIFT, SHARD } from '../memory/layout.js';
import type { Clock } from '../sync/clock.js';
import { readChained } from './chain.js';
import { copyOut, isChained, keyBytesOf, paddedToWord } from './entry.js';
import { type Reading, snapshotEntry } from './get.js';
import { findSlot, NO_SLOT } from './index.js';
import type { Shard } from './shard.js';

/** What a compare-and-swap compares: equal bytes, kind and expiry mean that nobody's write would be lost. */
export interface Snapshot {
  kind: number;
  expiresAt: number;
  bytes: Buffer;
}

/** The key's live entry, also decoded into `reading`; undefined when there is none. Under the lock. */
export function takeSnapshot(shard: Shard, key: KeyEncoder, reading: Reading, clock: Clock): Snapshot | undefined {
  const slot = findSlot(shard, key);
  if (slot === NO_SLOT) return undefined;
  const ref = shard.words[shard.memory.refWord(slot)];
  if (!snapshotEntry(shard, ref, reading, true, shard.words[SHARD.lock]) || clock.hasExpired(reading.expiresAt))
    return undefined;
  const { kind, expiresAt, lengthBytes } = reading;
  return { kind, expiresAt, bytes: rawValue(shard, ref, lengthBytes) };
}

/** Runs `replace` if the key's entry is still the one of `before`; undefined when it is not. Under the lock. */
export function replaceIfSameLocked(
  shard: Shard,
  key: KeyEncoder,
  before: Snapshot | undefined,
  reading: Reading,
  clock: Clock,
  replace: () => boolean,
): boolean | undefined {
  const now = takeSnapshot(shard, key, reading, clock);
  const same =
    now === undefined || before === undefined
      ? now === before
      : now.kind === before.kind && now.expiresAt === before.expiresAt && now.bytes.equals(before.bytes);
  return same ? replace() : undefined;
}

function rawValue(shard: Shard, ref: number, lengthBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(lengthBytes);
  if (lengthBytes === 0) return bytes;
  const word = ref << (REF_SHIFT - 2);
  const meta = shard.words[word + ENTRY.meta];
  const keyBytes = paddedToWord(keyBytesOf(meta));
  if (isChained(meta)) readChained(shard, ref, keyBytes, bytes, lengthBytes);
  else copyOut(shard, ((word + ENTRY.headWords) << 2) + keyBytes, bytes, 0, lengthBytes);
  return bytes;
}
