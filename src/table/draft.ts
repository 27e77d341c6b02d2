import type { KeyEncoder } from '../codec/key.js';
import type { Encoded } from '../codec/value.js';
import { NO_ANSWER } from '../sync/clock.js';
import { paddedToWord } from './entry.js';
import { type Extras, MAX_EXTRA_BYTES, writeExtras } from './extras.js';

const SCRATCH_BYTES = 64 * 1024;

/**
 * One write being prepared: key, value, times and tags, encoded and ready for the lock. A thread has one, used again and
 * again.
 *
 * The user's code runs while options are read and a value is encoded (getters, toJSON, codecs), and may write to the same
 * cache, with this very draft. So there is one safe order, and `Keyspace` keeps it: read the options into locals, encode the
 * value, and only then `fill` the draft; from there to the end of the write nothing of the user's runs.
 */
export class Draft {
  readonly key: KeyEncoder;
  /** ms since 1970, a whole number; Infinity when it never expires. */
  expiresAt = 0;
  /** Whether the entry is over as soon as it is stored, so it is not stored. */
  isOver = false;
  /** The time when the write was begun, as `Clock.answer` has it. */
  begunAt = NO_ANSWER;
  /** Of the value's bytes: what they are, how many there are, and where. */
  kind = 0;
  lengthBytes = 0;
  bytes: Uint8Array = Buffer.alloc(0);
  offset = 0;
  /** The same bytes as words, when they lie at the start of a scratch. */
  words: Int32Array | undefined;
  isExtended = false;
  /** The number of the last invalidation when an extended write was begun. */
  begun = 0;
  /** Whether the entry it replaces goes on living in it (a touch), so nobody is told that one left. */
  isQuiet = false;
  /** The entry's version, drawn under the lock. */
  version = 0;
  #scratch: Buffer = Buffer.alloc(0);

  constructor(key: KeyEncoder) {
    this.key = key;
  }

  /** The key is encoded already, or is so next, and the value was encoded last. */
  fill(value: Encoded, expiresAt: number, isOver: boolean, extras: Extras | undefined): void {
    this.expiresAt = expiresAt;
    this.isOver = isOver;
    this.begunAt = NO_ANSWER;
    this.kind = value.kind;
    this.isQuiet = false;
    this.isExtended = extras !== undefined;
    if (extras !== undefined) {
      this.begun = extras.begun;
      this.#extend(value, extras);
      return;
    }
    this.lengthBytes = value.lengthBytes;
    this.bytes = value.bytes;
    this.offset = value.offset;
    this.words = value.words;
  }

  /** Bytes that its blocks hold behind their heads: the key, padded, and the value. */
  get payloadBytes(): number {
    return paddedToWord(this.key.lengthBytes) + this.lengthBytes;
  }

  /** The extras and the value in one piece, so that storing it knows of one run of bytes only. */
  #extend(value: Encoded, extras: Extras): void {
    const bytes = this.#room(paddedToWord(MAX_EXTRA_BYTES + value.lengthBytes));
    const words = new Int32Array(bytes.buffer);
    const extraBytes = writeExtras(words, bytes, extras);
    bytes.set(value.bytes.subarray(value.offset, value.offset + value.lengthBytes), extraBytes);
    this.lengthBytes = extraBytes + value.lengthBytes;
    this.bytes = bytes;
    this.offset = 0;
    this.words = words;
  }

  /** Short writes share one scratch; it starts its ArrayBuffer. */
  #room(bytes: number): Buffer {
    if (bytes > SCRATCH_BYTES) return Buffer.from(new ArrayBuffer(bytes));
    if (this.#scratch.length === 0) this.#scratch = Buffer.from(new ArrayBuffer(SCRATCH_BYTES));
    return this.#scratch;
  }
}
