import { decodePlacedKey } from '../codec/placed-key.js';
import { SharedCacheError } from '../errors.js';
import { wallMs } from '../sync/monotonic.js';
import { type KeyNote, KeyNotes } from './key-notes.js';
import { HEADER, KEY_NOTE_TEXT_BYTES } from './layout.js';
import type { MonitorMemory } from './memory.js';
import type { HotKey, HottestKeys } from './types.js';

/** A key that was met once may be any of those that are used seldom. */
const LEAST_NOTES = 2;

/** Notes of one key. */
interface Tally {
  readonly first: KeyNote;
  notes: number;
  reads: number;
}

/** The keys that most notes since then are of. */
export function readHottest(memory: MonitorMemory, limit: number, from: number): HottestKeys {
  const { notes, since } = readNotes(memory, from);
  const seconds = Math.max(1, wallMs() - since) / 1_000;
  const hottest = tally(notes)
    .filter((each) => each.notes >= LEAST_NOTES)
    .sort((a, b) => b.notes - a.notes);
  const keys: HotKey[] = [];
  for (const each of hottest) {
    if (keys.length >= limit) break;
    const key = keyOf(each.first);
    if (key === undefined) continue;
    keys.push({
      ...key,
      share: each.notes / notes.length,
      opsPerSecond: (each.notes * memory.dimensions.sample) / seconds,
      notes: each.notes,
      reads: each.reads,
    });
  }
  return { notes: notes.length, since, keys };
}

/**
 * The notes of all threads, none older than the oldest that a busy thread still has: else a thread that does little, whose notes
 * go back further, would seem to do more than it does.
 */
function readNotes(memory: MonitorMemory, from: number): { notes: KeyNote[]; since: number } {
  const { words, dimensions, layout } = memory;
  const epoch = Atomics.load(words, HEADER.epoch);
  let since = Math.max(from, memory.startedAt);
  const all: KeyNote[] = [];
  for (let thread = 0; thread < dimensions.threads; thread++) {
    const notes = new KeyNotes(memory, thread).read();
    // One may be missing because it is being written.
    const isFull = notes.length > 0 && notes.length >= layout.keyNotes - 1;
    if (isFull) since = Math.max(since, Math.min(...notes.map(({ timestamp }) => timestamp)));
    all.push(...notes);
  }
  return { notes: all.filter((note) => note.epoch === epoch && note.timestamp >= since), since };
}

function tally(notes: readonly KeyNote[]): Tally[] {
  const tallies = new Map<string, Tally>();
  for (const note of notes) {
    const { text, keyBytes, hash, isRead } = note;
    const id = isCut(note) ? `${text} ${keyBytes} ${hash}` : text;
    let each = tallies.get(id);
    if (each === undefined) {
      each = { first: note, notes: 0, reads: 0 };
      tallies.set(id, each);
    }
    each.notes++;
    if (isRead) each.reads++;
  }
  return [...tallies.values()];
}

const isCut = ({ keyBytes }: KeyNote): boolean => keyBytes > KEY_NOTE_TEXT_BYTES;

/** undefined for bytes that are no key: somebody wrote over the memory. */
function keyOf(note: KeyNote): Pick<HotKey, 'key' | 'namespaces' | 'isCut'> | undefined {
  const bytes = Buffer.from(note.text, 'latin1');
  try {
    return { ...decodePlacedKey(bytes, isCut(note) ? wholeCharacters(bytes) : bytes.length), isCut: isCut(note) };
  } catch (error) {
    if (error instanceof SharedCacheError && error.code === 'ERR_CORRUPTED') return undefined;
    throw error;
  }
}

/** How many bytes of a key that was cut off are whole characters: the last one may have lost its end. */
function wholeCharacters(bytes: Buffer): number {
  let last = bytes.length - 1;
  // Bytes 10xxxxxx go on with a character of four bytes at most.
  while (last > bytes.length - 4 && (bytes[last] & 0xc0) === 0x80) last--;
  const first = bytes[last];
  const size = first < 0xc0 || first > 0xf7 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return last + size > bytes.length ? last : bytes.length;
}
