import { isKnownKind } from '../codec/binary.js';
import { decodeKey } from '../codec/key.js';
import { keyStart, namesOf } from '../codec/placed-key.js';
import type { Encoded } from '../codec/value.js';
import { SharedCacheError } from '../errors.js';
import { NEVER } from '../memory/layout.js';
import type { Draft } from '../table/draft.js';
import { encodeIn, type Space, spaceInside, tagHashes } from '../table/space.js';
import type { Table } from '../table/table.js';
import type { EntryReader } from './entry-format.js';

/** Namespaces that are remembered between entries. */
const MOST_SPACES = 1000;
/** Shorter values are copied, so that the table finds them as words. */
const SHORT_BYTES = 160;

/**
 * Turns entries of a file into drafts of this cache: keys under its hash key, times of its clock. An invalidation that comes
 * while a load runs ends what was loaded before it and what is loaded after it.
 */
export class Incoming {
  readonly #table: Table;
  readonly #outer: Space;
  /** Makes times of the date times of the cache. */
  readonly #fromDate: number;
  /** The number of the last invalidation when the load began. */
  readonly #begun: number;
  readonly #spaces = new Map<string, Space>();
  readonly #words = new Int32Array(SHORT_BYTES / 4);
  readonly #bytes = new Uint8Array(this.#words.buffer);

  constructor(table: Table, outer: Space) {
    this.#table = table;
    this.#outer = outer;
    this.#fromDate = -table.clock.toDate();
    this.#begun = table.tags.now();
  }

  /** Whether the whole cache was cleared since the load began. */
  get isCleared(): boolean {
    return this.#table.tags.haveOvertaken([], this.#begun);
  }

  /** The thread's draft, filled with the entry and ready for the lock; or why there is none. */
  draft(entry: EntryReader): Draft | 'expired' | 'refused' {
    const { draft, clock } = this.#table;
    const expiresAt = Math.round(entry.expiresAt + this.#fromDate);
    if (clock.hasExpired(expiresAt)) return 'expired';
    if (!isKnownKind(entry.kind)) return 'refused';
    try {
      this.#fill(draft, entry, expiresAt);
      return draft;
    } catch (error) {
      // Keys that no cache has: too long, no text, in too many namespaces.
      if (error instanceof SharedCacheError) return 'refused';
      throw error;
    }
  }

  #fill(draft: Draft, entry: EntryReader, expiresAt: number): void {
    const { key: encoder } = this.#table;
    const { payload, keyAt, keyBytes } = entry;
    const names = payload.subarray(keyAt, keyAt + keyBytes);
    const start = keyStart(names, keyBytes);
    const space = start === 0 ? this.#outer : this.#spaceOf(names, start);
    const key = decodeKey(payload, keyAt + start, keyBytes - start);
    const extras =
      entry.isExtended || space.hashes.length > 0
        ? {
            begun: this.#begun,
            graceEnd: entry.graceEnd === 0 ? 0 : clamp(entry.graceEnd + this.#fromDate),
            lifetime: clamp(entry.lifetime),
            namespaces: space.hashes,
            tags: entry.tags,
            tagHashes: tagHashes(space, entry.tags, encoder),
          }
        : undefined;
    encodeIn(space, key, encoder);
    draft.fill(this.#valueOf(entry), expiresAt, false, extras);
  }

  #valueOf({ payload, kind, valueAt, valueBytes: lengthBytes }: EntryReader): Encoded {
    if (lengthBytes > SHORT_BYTES) return { kind, lengthBytes, bytes: payload, offset: valueAt, words: undefined };
    const bytes = this.#bytes;
    this.#words[Math.max(0, ((lengthBytes + 3) >> 2) - 1)] = 0;
    for (let i = 0; i < lengthBytes; i++) bytes[i] = payload[valueAt + i];
    return { kind, lengthBytes, bytes, offset: 0, words: this.#words };
  }

  /** The namespace whose names come first in these bytes. */
  #spaceOf(names: Buffer, start: number): Space {
    const path = names.latin1Slice(0, start);
    let space = this.#spaces.get(path);
    if (space !== undefined) return space;
    space = this.#outer;
    for (const name of namesOf(names, start))
      space = spaceInside(space, decodeKey(name, 0, name.length), this.#table.key);
    if (this.#spaces.size >= MOST_SPACES) this.#spaces.clear();
    this.#spaces.set(path, space);
    return space;
  }
}

/** A whole number of ms that an entry can hold. */
function clamp(ms: number): number {
  return Math.min(Math.max(0, Math.round(ms)), NEVER);
}
