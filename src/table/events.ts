import { CONTROL, ENTRY, EVENT, EVENT_CAUSE_SHIFT, EVENT_KEY_MASK, SHARD } from '../memory/layout.js';
import { readChained } from './chain.js';
import { isChained, keyBytesOf, paddedToWord } from './entry.js';
import type { Shard } from './shard.js';

/** A ring never holds an event longer than a quarter of it. */
const MOST_SHARE = 4;

/**
 * Notes in the shard's ring that the entry leaves, if somebody listens for this cause: one plain load if not.
 *
 * The event becomes visible with the removal itself: its bytes go to a place that nobody reads, and the two journaled words
 * that make it part of the ring belong to the open transaction. A thread that dies before the commit has removed nothing
 * and told nothing. Only the oldest events may be lost so, since they make room first.
 */
export function noteEventLocked(shard: Shard, ref: number, cause: number): void {
  if (((shard.control[CONTROL.listening] >> cause) & 1) === 0) return;
  const { memory, words: m } = shard;
  const { eventWords, eventsWord } = memory.geometry;
  const word = ref << 1;
  const meta = m[word + ENTRY.meta];
  const keyBytes = keyBytesOf(meta);
  const keyWords = paddedToWord(keyBytes) >> 2;
  const length = EVENT.headWords + keyWords;
  const number = m[SHARD.events];
  // Too long to keep: the gap in the numbers tells that it is missing.
  if (length > eventWords / MOST_SHARE) {
    memory.set(SHARD.events, (number + 1) | 0);
    return;
  }
  const end = m[SHARD.eventsEnd];
  makeRoomLocked(shard, end, length);
  const at = (offset: number): number => eventsWord + ((end + offset) & (eventWords - 1));
  m[at(EVENT.number)] = number;
  m[at(EVENT.meta)] = (cause << EVENT_CAUSE_SHIFT) | keyBytes;
  const key = isChained(meta) ? chainedKey(shard, ref, keyBytes) : m;
  const first = isChained(meta) ? 0 : word + ENTRY.headWords;
  for (let i = 0; i < keyWords; i++) m[at(EVENT.headWords + i)] = key[first + i];
  memory.set(SHARD.eventsEnd, (end + length) | 0);
  memory.set(SHARD.events, (number + 1) | 0);
}

/** Gives up the oldest events until so many words are free. Not journaled: an event lost too many is counted as lost. */
function makeRoomLocked(shard: Shard, end: number, length: number): void {
  const m = shard.words;
  const { eventWords, eventsWord } = shard.memory.geometry;
  for (let left = eventWords; left > 0; left--) {
    const begin = m[SHARD.eventsBegin];
    const used = (end - begin) | 0;
    if (used >= 0 && used + length <= eventWords) return;
    const oldest = m[eventsWord + ((begin + EVENT.meta) & (eventWords - 1))];
    const next = begin + EVENT.headWords + (paddedToWord(oldest & EVENT_KEY_MASK) >> 2);
    // Where the words make no sense, somebody wrote over them: begin anew.
    m[SHARD.eventsBegin] = used < 0 || used > eventWords || ((end - next) | 0) < 0 ? end : next | 0;
  }
}

function chainedKey(shard: Shard, ref: number, keyBytes: number): Int32Array {
  const bytes = Buffer.from(new ArrayBuffer(paddedToWord(keyBytes)));
  readChained(shard, ref, 0, bytes, paddedToWord(keyBytes));
  return new Int32Array(bytes.buffer);
}
