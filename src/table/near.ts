import { ENTRY, REF_SHIFT, SHARD } from '../memory/layout.js';
import { readFence } from '../sync/seqlock.js';
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
  hash: number;
  slot: number;
  ref: number;
  stamp: number;
  version: number;
  /** Hit since the hand last came by. */
  used: boolean;
}

/**
 * Values this thread has read lately and may hand out again without hashing, searching or copying: primitives only, since
 * no caller can change them; at most 4,096, of at most 512 characters each, kept by CLOCK from the second read on.
 *
 * It is coherent, not a second truth: `find` believes an entry only if, at one version of the shard, the slot still refers
 * to the same block and the block still bears the same stamp. The stamp is the version an entry was written at, so a block
 * that was freed and filled again has another one. (A stamp comes back after 2^30 writes to a shard; an entry here would
 * have to lie untouched for exactly that long.) When the version is the one of the last look, one load tells that nothing
 * in the shard has changed at all.
 */
export class Near {
  readonly #entries = new Map<string, NearEntry>();
  readonly #ring: NearEntry[] = [];
  readonly #candidates = new Int32Array(CANDIDATES);
  #hand = 0;

  /** The key's entry if it is still what the shard holds. */
  find(key: string): NearEntry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const m = entry.shard.words;
    const version = Atomics.load(m, SHARD.lock);
    if (version !== entry.version) {
      const same =
        version >= 0 &&
        m[entry.shard.memory.refWord(entry.slot)] === entry.ref &&
        m[(entry.ref << (REF_SHIFT - 2)) + ENTRY.stamp] === entry.stamp;
      readFence();
      if (!same || Atomics.load(m, SHARD.lock) !== version) return undefined;
      entry.version = version;
    }
    entry.used = true;
    // A hit here is a hit: the policy hears of it as of any other.
    entry.shard.policy.hit(entry.slot, entry.hash, (entry.ref << (REF_SHIFT - 2)) + ENTRY.policy);
    return entry;
  }

  /** Keeps what was just read, if it is small, cannot be changed by whoever gets it, and was read before. */
  remember(key: string, shard: Shard, reading: Reading, value: unknown): void {
    // A reading made under the lock has no version to compare with.
    if (typeof value === 'object' || reading.version < 0 || key.length > MAX_KEY_LENGTH) return;
    if (typeof value === 'string' && value.length > MAX_STRING_LENGTH) return;
    const { hash, slot, ref, stamp, version, expiresAt } = reading;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      if (this.#candidates[hash & (CANDIDATES - 1)] !== hash) {
        this.#candidates[hash & (CANDIDATES - 1)] = hash;
        return;
      }
      entry = this.#place(key, shard);
    }
    entry.value = value;
    entry.expiresAt = expiresAt;
    entry.hash = hash;
    entry.slot = slot;
    entry.ref = ref;
    entry.stamp = stamp;
    entry.version = version;
  }

  /** A free entry, or that of the first the hand finds unused; each pass clears a mark, so it ends. */
  #place(key: string, shard: Shard): NearEntry {
    let entry: NearEntry;
    if (this.#ring.length < CAPACITY) {
      entry = { key, value: 0, expiresAt: 0.5, shard, hash: 0, slot: 0, ref: 0, stamp: 0, version: 0, used: false };
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
    }
    this.#entries.set(key, entry);
    return entry;
  }
}
