import type { KeyEncoder } from '../codec/key.js';
import { KEY_NOTE, KEY_NOTE_TEXT_BYTES, THREAD } from './layout.js';
import type { MonitorMemory } from './memory.js';
import { Ring } from './ring.js';

const TEXT_WORDS = KEY_NOTE_TEXT_BYTES / 4;

/** An encoded key, as the encoder has it until the next. */
export type EncodedKey = Pick<KeyEncoder, 'words' | 'lengthBytes' | 'hash'>;

export interface KeyNote {
  /** ms since the epoch. */
  readonly timestamp: number;
  readonly epoch: number;
  readonly isRead: boolean;
  readonly hash: number;
  /** Of the whole encoded key, of which `text` may be the beginning. */
  readonly keyBytes: number;
  /** Its first bytes, as latin1: each character is a byte. */
  readonly text: string;
}

/** The keys of one thread's last timed operations on a cache. */
export class KeyNotes {
  readonly #memory: MonitorMemory;
  readonly #ring: Ring;

  constructor(memory: MonitorMemory, thread: number) {
    const { keyNotes, keyRingsDouble, threadsWord } = memory.layout;
    const recordDoubles = KEY_NOTE.words / 2;
    this.#memory = memory;
    this.#ring = new Ring(memory, {
      headWord: threadsWord + thread * THREAD.words + THREAD.keyRingHead,
      firstDouble: keyRingsDouble + thread * keyNotes * recordDoubles,
      length: keyNotes,
      recordDoubles,
    });
  }

  write(timestamp: number, { words: key, lengthBytes, hash }: EncodedKey, isRead: boolean, epoch: number): void {
    const { words, doubles } = this.#memory;
    const at = this.#ring.begin();
    const word = at * 2;
    words[word + KEY_NOTE.hash] = hash;
    doubles[at + KEY_NOTE.timestamp / 2] = timestamp;
    words[word + KEY_NOTE.epoch] = epoch;
    words[word + KEY_NOTE.isRead] = isRead ? 1 : 0;
    words[word + KEY_NOTE.keyBytes] = lengthBytes;
    const textWords = Math.min((lengthBytes + 3) >> 2, TEXT_WORDS);
    for (let i = 0; i < textWords; i++) words[word + KEY_NOTE.text + i] = key[i];
    this.#ring.commit(at);
  }

  /** Whole notes, in no order. `validate` as in Ring. */
  read(validate = true): KeyNote[] {
    if (this.#ring.isEmpty) return [];
    const { words, doubles } = this.#memory;
    const text = new Int32Array(TEXT_WORDS);
    const bytes = Buffer.from(text.buffer);
    const copy = (at: number): KeyNote => {
      const word = at * 2;
      for (let i = 0; i < TEXT_WORDS; i++) text[i] = words[word + KEY_NOTE.text + i];
      const keyBytes = words[word + KEY_NOTE.keyBytes];
      return {
        timestamp: doubles[at + KEY_NOTE.timestamp / 2],
        epoch: words[word + KEY_NOTE.epoch],
        isRead: words[word + KEY_NOTE.isRead] === 1,
        hash: words[word + KEY_NOTE.hash],
        keyBytes,
        text: bytes.latin1Slice(0, Math.min(Math.max(keyBytes, 0), KEY_NOTE_TEXT_BYTES)),
      };
    };
    return this.#ring.read(copy, validate);
  }
}
