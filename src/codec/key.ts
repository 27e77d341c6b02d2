import { describe, SharedCacheError } from '../errors.js';
import { MAX_KEY_BYTES, MAX_STORED_KEY_BYTES } from '../memory/layout.js';
import { halfSipHash13 } from './hash.js';

/** Longest key packed by a loop; above, one call of the native encoder wins. */
const LOOP_LENGTH = 32;
const utf8 = new TextEncoder();

/**
 * Encodes and hashes keys, one at a time: what it holds is valid until the next `encode`.
 *
 * The encoding is WTF-8 (UTF-8 in which a lone surrogate is three bytes), so different strings never become the same bytes.
 */
export class KeyEncoder {
  /** The encoded key, little-endian, its last word padded with zeros. */
  readonly words: Int32Array = new Int32Array((MAX_STORED_KEY_BYTES >> 2) + 2);
  lengthBytes = 0;
  /** Signed 32-bit HalfSipHash-1-3 under the cache's key. */
  hash = 0;
  readonly #bytes = Buffer.from(this.words.buffer);
  readonly #hashKey0: number;
  readonly #hashKey1: number;

  constructor(hashKey0: number, hashKey1: number) {
    this.#hashKey0 = hashKey0;
    this.#hashKey1 = hashKey1;
  }

  /** Throws ERR_INVALID_KEY for anything but a string of at most 64 KiB. */
  encode(key: unknown): void {
    if (typeof key !== 'string') {
      throw new SharedCacheError('ERR_INVALID_KEY', `a key must be a string, received ${describe(key)}`);
    }
    const length = key.length;
    if (length > MAX_KEY_BYTES) throw tooLong(key);
    const words = this.words;
    if (length > LOOP_LENGTH) {
      words[length >> 2] = 0;
      const { read, written } = utf8.encodeInto(key, this.#bytes);
      // As many bytes as characters, or the key is not ASCII: lone surrogates need an encoding of their own.
      this.lengthBytes = read === length && written === length ? length : this.#encodeWide(key);
      this.hash = halfSipHash13(words, this.lengthBytes, this.#hashKey0, this.#hashKey1);
      return;
    }
    const whole = length & ~3;
    // HalfSipHash-1-3 as in hash.ts, on each word as soon as it is packed: a third less time than one after the other.
    let v0 = this.#hashKey0;
    let v1 = this.#hashKey1;
    let v2 = 0x6c796765 ^ v0;
    let v3 = 0x74656462 ^ v1;
    let seen = 0;
    let i = 0;
    for (; i < whole; i += 4) {
      const a = key.charCodeAt(i);
      const b = key.charCodeAt(i + 1);
      const c = key.charCodeAt(i + 2);
      const d = key.charCodeAt(i + 3);
      seen |= a | b | c | d;
      const word = a | (b << 8) | (c << 16) | (d << 24);
      words[i >> 2] = word;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    let last = 0;
    for (let shift = 0; i < length; i++, shift += 8) {
      const c = key.charCodeAt(i);
      seen |= c;
      last |= c << shift;
    }
    words[whole >> 2] = last;
    if (seen > 127) {
      this.lengthBytes = this.#encodeWide(key);
      this.hash = halfSipHash13(words, this.lengthBytes, this.#hashKey0, this.#hashKey1);
      return;
    }
    // The last block carries the length in its top byte; three rounds without a word finish.
    let word = last | (length << 24);
    for (let round = 0; round < 4; round++) {
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
      if (round === 0) v2 ^= 0xff;
      word = 0;
    }
    this.lengthBytes = length;
    this.hash = v1 ^ v3;
  }

  /** Whether `encode` would take it: throws as encode does, and encodes nothing that is certain to fit. */
  check(key: unknown): void {
    if (typeof key !== 'string' || key.length * 3 > MAX_KEY_BYTES) this.encode(key);
  }

  /** The key behind a prefix of bytes that no key's encoding has. Throws as encode does. */
  encodeBehind(prefix: Uint8Array, key: unknown): void {
    this.encode(key);
    const own = this.lengthBytes;
    const bytes = this.#bytes;
    bytes.copyWithin(prefix.length, 0, own);
    bytes.set(prefix);
    this.lengthBytes = prefix.length + own;
    bytes.fill(0, this.lengthBytes, (this.lengthBytes + 3) & ~3);
    this.hash = halfSipHash13(this.words, this.lengthBytes, this.#hashKey0, this.#hashKey1);
  }

  /** A second hash of the same key, independent of the first. */
  secondHash(): number {
    return halfSipHash13(this.words, this.lengthBytes, ~this.#hashKey1, this.#hashKey0);
  }

  #encodeWide(key: string): number {
    const bytes = this.#bytes;
    let n = 0;
    for (let i = 0; i < key.length; i++) {
      const c = key.codePointAt(i) as number;
      const size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
      if (n + size > MAX_KEY_BYTES) throw tooLong(key);
      if (size === 1) {
        bytes[n] = c;
      } else {
        // Six bits a byte from the end; the first byte says how many follow.
        for (let j = size - 1, rest = c; j > 0; j--, rest >>= 6) bytes[n + j] = 0x80 | (rest & 63);
        bytes[n] = ((0xf00 >> size) & 0xff) | (c >> (6 * (size - 1)));
      }
      n += size;
      if (size === 4) i++;
    }
    bytes.fill(0, n, (n + 3) & ~3);
    return n;
  }
}

/** The key whose encoding lies in these bytes, which must be private memory. */
export function decodeKey(bytes: Buffer, offset: number, lengthBytes: number): string {
  const text = bytes.toString('utf8', offset, offset + lengthBytes);
  return text.includes('\ufffd') ? decodeWide(bytes, offset, lengthBytes) : text;
}

/** For keys that hold lone surrogates, which Node's decoder replaces. */
function decodeWide(bytes: Buffer, offset: number, lengthBytes: number): string {
  const end = offset + lengthBytes;
  let text = '';
  for (let i = offset; i < end; ) {
    const first = bytes[i] as number;
    const size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    let c = size === 1 ? first : first & (0x7f >> size);
    for (let j = 1; j < size; j++) c = (c << 6) | ((bytes[i + j] ?? 0) & 63);
    if (c > 0x10ffff) throw new SharedCacheError('ERR_CORRUPTED', 'the bytes of a key are not WTF-8');
    text += String.fromCodePoint(c);
    i += size;
  }
  return text;
}

function tooLong(key: string): SharedCacheError {
  return new SharedCacheError(
    'ERR_INVALID_KEY',
    `a key may have at most ${MAX_KEY_BYTES} bytes in UTF-8, received ${Buffer.byteLength(key)}`,
  );
}
