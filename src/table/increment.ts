import { ValueKind } from '../codec/kinds.js';
import { ENTRY } from '../memory/layout.js';
import { NO_SLOT } from './buckets.js';
import { payloadWords } from './chain.js';
import type { Draft } from './draft.js';
import { expiryAt, highWord, isChained, keyBytesOf, kindOf, paddedToWord, wordOf } from './entry.js';
import { findLiveLocked } from './leave.js';
import { OVER_AT_ONCE, putLocked } from './put.js';
import type { Shard } from './shard.js';

const double = new Float64Array(1);
const doubleWords = new Int32Array(double.buffer);

export type IncrementOutcome = 'added' | 'mismatch' | 'not a number';

/** The sum and when it expires. */
export interface Counter {
  value: number;
  expiresAt: number;
}

/**
 * Adds to the number under the key, in place: four journaled words. An absent key, or one that is over, is stored as the
 * draft says, whose value is `by`. What cannot be added to stays as it is.
 */
export function incrementLocked(
  shard: Shard,
  draft: Draft,
  by: number,
  maxEntryBytes: number,
  counter: Counter,
): IncrementOutcome {
  const { memory, words: m } = shard;
  const slot = findLiveLocked(shard, draft.key);
  if (slot === NO_SLOT) {
    if (putLocked(shard, draft, maxEntryBytes) === OVER_AT_ONCE) counter.expiresAt = 0;
    else counter.expiresAt = draft.expiresAt;
    counter.value = by;
    return 'added';
  }
  const ref = m[memory.refWord(slot)];
  const word = wordOf(ref);
  if (kindOf(m[word + ENTRY.meta]) !== ValueKind.float64) return 'mismatch';
  const at = lastWords(shard, ref);
  if (at === undefined) return 'mismatch';
  doubleWords[0] = m[at[0]];
  doubleWords[1] = m[at[1]];
  double[0] += by;
  if (Number.isNaN(double[0])) return 'not a number';
  const [low, high] = doubleWords;
  const expiresAt = expiryAt(m, word);
  const version = shard.nextWriteLocked();
  memory.noteChange(draft.key.hash);
  memory.set(at[0], low);
  memory.set(at[1], high);
  memory.set(word + ENTRY.version, version | 0);
  memory.set(word + ENTRY.high, highWord(expiresAt, version));
  shard.policy.updateLocked(slot, draft.key.hash);
  memory.commit();
  counter.value = double[0];
  counter.expiresAt = expiresAt;
  return 'added';
}

/** The two words of the last eight bytes of an entry's value: where a number lies. */
function lastWords(shard: Shard, ref: number): readonly [number, number] | undefined {
  const m = shard.words;
  const word = wordOf(ref);
  const meta = m[word + ENTRY.meta];
  const last = (paddedToWord(keyBytesOf(meta)) + m[word + ENTRY.valueBytes] - 8) >> 2;
  if (!isChained(meta)) return [word + ENTRY.headWords + last, word + ENTRY.headWords + last + 1];
  const [low, high] = payloadWords(shard, ref, last, 2);
  return high === undefined ? undefined : [low, high];
}
