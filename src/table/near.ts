import { ENTRY, REF_SHIFT } from '../memory/layout.js';
import type { Reading } from './get.js';
import type { Shard } from './shard.js';

const CAPACITY = 4096;
/** Hashes of keys read once lately; a key read again while it is here is kept. A power of two. */
const CANDIDATES = 8192;
const MAX_KEY_LENGTH = 128;
const MAX_STRING_LENGTH = 512;

/** One value kept near, and what proves that it is still the key's value. */
export interface NearEntry {
  key: string;
  value: unknown;
  expiresAt: number;
  shard: Shard;
  /** The words that hold the count of changes, which word it is, and what it said when the value was read. */
  words: Int32Array;
  changeWord: number;
  changes: number;
  hash: number;
  slot: number;
  policyWord: number;
  /** Hit since the hand last came by. */
  used: boolean;
}

/**
 * Values this thread has read lately and may hand out again without hashing, searching or copying: primitives only, since
 * no caller can change them; at most 4,096, of at most 512 characters each, kept by CLOCK from the second read on.
 *
 * It is coherent, not a second truth. Whoever changes an entry first adds one to the count that its hash shares with some
 * others, and only then changes it, all under the lock; so a count that is what it was when the value was read proves that
 * no change of the key has ended since. One plain load tells: what was kept does not change, so nothing can be torn. (A
 * count comes back after 2^32 changes; an entry here would have to lie untouched for exactly that many.)
 */
export class Near {
  readonly #entries = new Map<string, NearEntry>();
  readonly #ring: NearEntry[] = [];
  readonly #candidates = new Int32Array(CANDIDATES);
  #hand = 0;

  /** The key's entry if it is still what the shard holds. */
  find(key: string): NearEntry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.words[entry.changeWord] !== entry.changes) return undefined;
    entry.used = true;
    // A hit here is a hit: the policy hears of it as of any other.
    entry.shard.policy.hit(entry.slot, entry.hash, entry.policyWord);
    return entry;
  }

  /** Keeps what was just read, if it is small, cannot be changed by whoever gets it, and was read before. */
  remember(key: string, shard: Shard, reading: Reading, value: unknown): void {
    if (typeof value === 'object' || key.length > MAX_KEY_LENGTH) return;
    if (typeof value === 'string' && value.length > MAX_STRING_LENGTH) return;
    const { hash } = reading;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      if (this.#candidates[hash & (CANDIDATES - 1)] !== hash) {
        this.#candidates[hash & (CANDIDATES - 1)] = hash;
        return;
      }
      entry = this.#place(key, shard);
    }
    entry.value = value;
    entry.expiresAt = reading.expiresAt;
    entry.changeWord = reading.changeWord;
    entry.changes = reading.changes;
    entry.hash = hash;
    entry.slot = reading.slot;
    entry.policyWord = (reading.ref << (REF_SHIFT - 2)) + ENTRY.policy;
  }

  /** A free entry, or that of the first the hand finds unused; each pass clears a mark, so it ends. */
  #place(key: string, shard: Shard): NearEntry {
    let entry: NearEntry;
    if (this.#ring.length < CAPACITY) {
      const { words } = shard;
      // 0.5: a field for numbers that are no integers.
      entry = {
        key,
        value: 0,
        expiresAt: 0.5,
        shard,
        words,
        changeWord: 0,
        changes: 0,
        hash: 0,
        slot: 0,
        policyWord: 0,
        used: false,
      };
      this.#ring.push(entry);
    } else {
      for (;;) {
        entry = this.#ring[this.#hand] as NearEntry;
        this.#hand = (this.#hand + 1) & (CAPACITY - 1);
        if (!entry.used) break;
        entry.used = false;
      }
      this.#entries.delete(entry.key);
      entry.key = key;
      entry.shard = shard;
      entry.words = shard.words;
    }
    this.#entries.set(key, entry);
    return entry;
  }
}
