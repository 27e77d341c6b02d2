import { corrupted } from './corrupted.js';
import { MAX_DEPTH, Tag } from './plain-format.js';
import { KnownWords } from './shapes.js';

const NO_WORDS: Int32Array = new Int32Array(0);

/** Reads plain-format.ts from private memory. Every length is checked, so any bytes end in a value or ERR_CORRUPTED. */
export class PlainDecoder {
  readonly #shapes = new KnownWords();
  readonly #doubleWords = new Int32Array(2);
  readonly #double = new Float64Array(this.#doubleWords.buffer);
  /** The memory decoded last, mostly the caller's scratch, and its words: making a view costs more than a small value. */
  #memory: ArrayBufferLike | undefined;
  #memoryWords = NO_WORDS;
  #words = NO_WORDS;
  #bytes: Buffer = Buffer.alloc(0);
  #text = '';
  #word = 0;
  #end = 0;
  #textAt = 0;

  decode(bytes: Buffer, lengthBytes: number): unknown {
    const aligned = (bytes.byteOffset & 3) === 0 ? bytes : copyOf(bytes);
    const words = this.#wordsOf(aligned);
    const end = lengthBytes < 4 ? 0 : words[0];
    if (end < 2 || end * 4 > lengthBytes) throw corrupted('its value has no structure');
    this.#words = words;
    this.#bytes = aligned;
    this.#end = end;
    this.#word = 1;
    this.#textAt = 0;
    this.#text = end * 4 === lengthBytes ? '' : aligned.latin1Slice(end * 4, lengthBytes);
    const value = this.#value(0);
    if (this.#word !== end || this.#textAt !== this.#text.length) throw corrupted('its value has bytes left over');
    return value;
  }

  #wordsOf(bytes: Buffer): Int32Array {
    if (bytes.byteOffset !== 0) return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    if (bytes.buffer !== this.#memory) {
      this.#memory = bytes.buffer;
      this.#memoryWords = new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2);
    }
    return this.#memoryWords;
  }

  #value(depth: number): unknown {
    if (this.#word >= this.#end || depth > MAX_DEPTH) throw corrupted('its value breaks off');
    const word = this.#words[this.#word++];
    switch (word & 0xff) {
      case Tag.text:
        return this.#cut(word >>> 8);
      case Tag.integer:
        return word >> 8;
      case Tag.object:
        return this.#object(word >>> 8, depth);
      case Tag.array:
        return this.#array(word >>> 8, depth);
      case Tag.null:
        return null;
      case Tag.true:
        return true;
      case Tag.false:
        return false;
      case Tag.undefined:
        return undefined;
      case Tag.float64:
        this.#doubleWords[0] = this.#words[this.#take(2)];
        this.#doubleWords[1] = this.#words[this.#word - 1];
        return this.#double[0];
      case Tag.wideText: {
        const units = word >>> 8;
        const start = this.#take((units + 1) >> 1) * 4;
        return this.#bytes.ucs2Slice(start, start + units * 2);
      }
      case Tag.dictionary:
        return this.#dictionary(word >>> 8, depth);
      default:
        throw corrupted('its value has an unknown tag');
    }
  }

  /** The index of the next `count` words, which are now read. */
  #take(count: number): number {
    const at = this.#word;
    if (count > this.#end - at) throw corrupted('its value breaks off');
    this.#word = at + count;
    return at;
  }

  #cut(length: number): string {
    const start = this.#textAt;
    const end = start + length;
    if (end > this.#text.length) throw corrupted('its text breaks off');
    this.#textAt = end;
    return this.#text.slice(start, end);
  }

  #array(length: number, depth: number): unknown[] {
    // Not sized in advance: that would make it an array with holes for the engine, and trust the length.
    const array: unknown[] = [];
    for (let i = 0; i < length; i++) array.push(this.#value(depth + 1));
    return array;
  }

  #object(shapeWords: number, depth: number): object {
    const at = this.#take(shapeWords);
    const keys = this.#shapes.find(this.#words, at, shapeWords);
    const object: Record<string, unknown> = {};
    for (let i = 0; i < keys.length; i++) object[keys[i]] = this.#value(depth + 1);
    return object;
  }

  #dictionary(count: number, depth: number): object {
    const object: Record<string, unknown> = {};
    for (let i = 0; i < count; i++) {
      const key = this.#value(depth + 1);
      if (typeof key !== 'string' || key === '__proto__') throw corrupted('a key is not a key');
      object[key] = this.#value(depth + 1);
    }
    return object;
  }
}

function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
