/**
 * One entry in a block's payload; docs/dump-format.md describes it for others. Every number is little-endian.
 *
 *   ┌──────────┬────────────┬───────────────┬──────┬───────┬──────┬───┬─────────────────────────────────────────────┬─────┬───────┐
 *   │ keyBytes │ valueBytes │ expiresAt f64 │ kind │ flags │ tags │ 0 │ [graceEnd f64, lifetime f64, tags' lengths, │ key │ value │
 *   │ u32      │ u32        │               │ u8   │ u8    │ u8   │   │  u16 each, and their UTF-16 text]           │     │       │
 *   └──────────┴────────────┴───────────────┴──────┴───────┴──────┴───┴───only with the flag of extras──────────────┴─────┴───────┘
 */
import { ValueKind } from '../codec/kinds.js';
import { MAX_STORED_KEY_BYTES } from '../memory/layout.js';
import { graceEndOf, lifetimeOf, MAX_TAG_LENGTH, MAX_TAGS, tagsOf } from '../table/extras.js';
import type { Reading } from '../table/read.js';

export const HEAD_BYTES = 20;
const FLAG_EXTRAS = 1;
const TIMES_BYTES = 16;
/** Below this many bytes a plain loop beats the call of a builtin copy. */
const LOOP_BYTES = 128;
/** Most bytes an entry has besides its key and value. */
export const MAX_ENTRY_OVERHEAD_BYTES = HEAD_BYTES + TIMES_BYTES + MAX_TAGS * (2 + 2 * MAX_TAG_LENGTH);

const NO_TAGS: readonly string[] = [];

const plainWords = new Int32Array(6);
const plainExpiry = new Float64Array(plainWords.buffer, 8, 1);

/** The head of an entry without extras, in words that the next call writes over. `expiresAt`: ms since 1970. Little-endian, as the systems are that Node runs on. */
export function plainHead(keyBytes: number, valueBytes: number, expiresAt: number, kind: number): Int32Array {
  plainWords[0] = keyBytes;
  plainWords[1] = valueBytes;
  plainExpiry[0] = expiresAt;
  plainWords[4] = kind;
  return plainWords;
}

/** The entry that was read, with its key, as it will lie in a block. */
export class EntryToWrite {
  /** Bytes it takes. */
  lengthBytes = 0;
  readonly #toDate: number;
  #reading: Reading | undefined;
  #key: Buffer = Buffer.alloc(0);
  #keyFrom = 0;
  #keyEnd = 0;
  #tags: readonly string[] = NO_TAGS;

  /** `toDate` is what makes times of the cache times of the date. */
  constructor(toDate: number) {
    this.#toDate = toDate;
  }

  /** The value read, under the key in these bytes of `key`. */
  take(reading: Reading, key: Buffer, keyFrom: number, keyEnd: number): void {
    this.#reading = reading;
    this.#key = key;
    this.#keyFrom = keyFrom;
    this.#keyEnd = keyEnd;
    this.lengthBytes = HEAD_BYTES + keyEnd - keyFrom + reading.lengthBytes;
    this.#tags = NO_TAGS;
    if (!reading.isExtended) return;
    this.#tags = tagsOf(reading.extras.words);
    this.lengthBytes += TIMES_BYTES;
    for (const tag of this.#tags) this.lengthBytes += 2 + 2 * tag.length;
  }

  /** Writes it to `into` from byte `at` on. */
  write(into: Buffer, at: number): void {
    const reading = this.#reading as Reading;
    const keyBytes = this.#keyEnd - this.#keyFrom;
    into.writeUInt32LE(keyBytes, at);
    into.writeUInt32LE(reading.lengthBytes, at + 4);
    into.writeDoubleLE(reading.expiresAt + this.#toDate, at + 8);
    into[at + 16] = reading.kind;
    into[at + 17] = reading.isExtended ? FLAG_EXTRAS : 0;
    into[at + 18] = this.#tags.length;
    into[at + 19] = 0;
    let to = at + HEAD_BYTES;
    if (reading.isExtended) to = this.#writeExtras(reading.extras.words, into, to);
    copy(this.#key, this.#keyFrom, keyBytes, into, to);
    to += keyBytes;
    if (!reading.isDirect) copy(reading.copy, 0, reading.lengthBytes, into, to);
    else if (reading.kind === ValueKind.latin1) into.latin1Write(reading.direct as string, to, reading.lengthBytes);
    else if (reading.kind === ValueKind.float64) into.writeDoubleLE(reading.direct as number, to);
  }

  #writeExtras(words: Int32Array, into: Buffer, from: number): number {
    const graceEnd = graceEndOf(words);
    into.writeDoubleLE(graceEnd === 0 ? 0 : graceEnd + this.#toDate, from);
    into.writeDoubleLE(lifetimeOf(words), from + 8);
    let to = from + TIMES_BYTES;
    for (const tag of this.#tags) to = into.writeUInt16LE(tag.length, to);
    for (const tag of this.#tags) to += into.write(tag, to, 'utf16le');
    return to;
  }
}

/** Reads the entries of a payload one after the other. Every length is checked before it is believed. */
export class EntryReader {
  keyAt = 0;
  keyBytes = 0;
  valueAt = 0;
  valueBytes = 0;
  kind = 0;
  /** ms since 1970; Infinity when it never expires. */
  expiresAt = 0;
  isExtended = false;
  /** ms since 1970; 0 when there is none. */
  graceEnd = 0;
  /** ms; 0 when it never expires. */
  lifetime = 0;
  tags: readonly string[] = NO_TAGS;
  payload: Buffer = Buffer.alloc(0);
  #end = 0;

  begin(payload: Buffer): void {
    this.payload = payload;
    this.#end = 0;
  }

  /** Goes on to the next entry: false when there is none, or when it makes no sense. */
  next(): boolean {
    const { payload } = this;
    const at = this.#end;
    if (payload.length - at < HEAD_BYTES) return false;
    this.keyBytes = payload.readUInt32LE(at);
    this.valueBytes = payload.readUInt32LE(at + 4);
    this.expiresAt = payload.readDoubleLE(at + 8);
    this.kind = payload[at + 16];
    this.isExtended = payload[at + 17] === FLAG_EXTRAS;
    this.tags = NO_TAGS;
    this.graceEnd = 0;
    this.lifetime = 0;
    this.keyAt = this.isExtended ? this.#readExtras(at + HEAD_BYTES, payload[at + 18]) : at + HEAD_BYTES;
    if (this.keyAt < 0 || this.keyBytes > MAX_STORED_KEY_BYTES || Number.isNaN(this.expiresAt)) return false;
    this.valueAt = this.keyAt + this.keyBytes;
    this.#end = this.valueAt + this.valueBytes;
    return this.#end <= payload.length;
  }

  /** Where the key begins, -1 when the extras make no sense. */
  #readExtras(from: number, count: number): number {
    const { payload } = this;
    let at = from + TIMES_BYTES + 2 * count;
    if (count > MAX_TAGS || at > payload.length) return -1;
    this.graceEnd = payload.readDoubleLE(from);
    this.lifetime = payload.readDoubleLE(from + 8);
    if (!(this.graceEnd >= 0 && this.lifetime >= 0)) return -1;
    const tags: string[] = [];
    for (let i = 0; i < count; i++) {
      const length = payload.readUInt16LE(from + TIMES_BYTES + 2 * i);
      const end = at + 2 * length;
      if (length === 0 || length > MAX_TAG_LENGTH || end > payload.length) return -1;
      tags.push(payload.ucs2Slice(at, end));
      at = end;
    }
    this.tags = tags;
    return at;
  }
}

function copy(from: Buffer, start: number, length: number, to: Buffer, at: number): void {
  if (length > LOOP_BYTES) from.copy(to, at, start, start + length);
  else for (let i = 0; i < length; i++) to[at + i] = from[start + i];
}
