import type { KeyEncoder } from '../codec/key.js';
import { ENTRY, EXTRAS } from '../memory/layout.js';
import { NO_SLOT } from './buckets.js';
import { payloadWords } from './chain.js';
import { expiryAt, highWord, isExtended, keyBytesOf, lowWord, paddedToWord, versionAt, wordOf } from './entry.js';
import { endLocked, findLiveLocked } from './leave.js';
import type { Shard } from './shard.js';

/** Gives a live entry a new expiry, and a grace period as long as it had. The version stays: the value is the same. */
export function touchLocked(shard: Shard, key: KeyEncoder, expiresAt: number, lifetime: number): boolean {
  const { memory, words: m } = shard;
  const slot = findLiveLocked(shard, key);
  if (slot === NO_SLOT) return false;
  const ref = m[memory.refWord(slot)];
  const word = wordOf(ref);
  const grace = endLocked(shard, ref) - expiryAt(m, word);
  shard.heap.noteExpiry(ref, expiresAt);
  memory.noteChange(key.hash);
  memory.set(word + ENTRY.expiry, lowWord(expiresAt));
  memory.set(word + ENTRY.high, highWord(expiresAt, versionAt(m, word)));
  if (isExtended(m[word + ENTRY.meta])) {
    const from = paddedToWord(keyBytesOf(m[word + ENTRY.meta])) >> 2;
    setNumberLocked(shard, payloadWords(shard, ref, from + EXTRAS.graceEnd, 2), grace > 0 ? expiresAt + grace : 0);
    setNumberLocked(shard, payloadWords(shard, ref, from + EXTRAS.lifetime, 2), lifetime);
  }
  memory.commit();
  return true;
}

/** A number of up to 53 bits; 0 stands for one that is not finite. */
function setNumberLocked(shard: Shard, words: Int32Array, number: number): void {
  if (words.length !== 2) return;
  const finite = Number.isFinite(number) ? number : 0;
  shard.memory.set(words[0], finite | 0);
  shard.memory.set(words[1], Math.floor(finite / 2 ** 32));
}
