import { corrupted } from './corrupted.js';
import { MAX_SHAPE_BYTES, MAX_SHAPE_KEYS, SEPARATOR } from './plain-format.js';

/** Words of a shape: how many keys, how many bytes, then the names in latin1, separated, padded with zeros. */
const HEAD_WORDS = 2;
/** Shapes kept on each side; programs with more pay for making them again. */
const CAPACITY = 256;

export interface Shape {
  readonly keys: readonly string[];
  readonly words: Int32Array;
}

/** A shape as the reader has it. */
export interface ReadShape extends Shape {
  /** An object that has the keys: copies of it have them of their own, whatever objects inherit. */
  readonly template: object;
}

/** Shapes by their keys, for the writer. */
export class KnownKeys {
  readonly #byFirstKey = new Map<string, Shape>();

  /** Undefined when the keys cannot be a shape. */
  find(keys: readonly string[]): Shape | undefined {
    const count = keys.length;
    if (count === 0 || count > MAX_SHAPE_KEYS) return undefined;
    const known = this.#byFirstKey.get(keys[0]);
    if (known !== undefined && known.keys.length === count) {
      const knownKeys = known.keys;
      let i = 1;
      while (i < count && knownKeys[i] === keys[i]) i++;
      if (i === count) return known;
    }
    return this.#add(keys);
  }

  #add(keys: readonly string[]): Shape | undefined {
    const text = keys.join(SEPARATOR);
    if (keys.includes('__proto__') || text.length > MAX_SHAPE_BYTES || text.split(SEPARATOR).length !== keys.length)
      return undefined;
    const bytes = Buffer.from(text, 'latin1');
    if (bytes.latin1Slice(0, bytes.length) !== text) return undefined;
    const words = new Int32Array(HEAD_WORDS + ((bytes.length + 3) >> 2));
    words[0] = keys.length;
    words[1] = bytes.length;
    new Uint8Array(words.buffer, HEAD_WORDS * 4).set(bytes);
    const shape = { keys, words };
    if (this.#byFirstKey.size >= CAPACITY) this.#byFirstKey.clear();
    this.#byFirstKey.set(keys[0], shape);
    return shape;
  }
}

/** Shapes by their words, for the reader: one in each place, a new one takes the old one's. */
export class KnownWords {
  readonly #places: (ReadShape | undefined)[] = new Array(CAPACITY).fill(undefined);

  /** The shape in `words` [at, at + count). */
  find(words: Int32Array, at: number, count: number): ReadShape {
    let hash = count;
    for (let i = 0; i < count; i++) hash = Math.imul(hash ^ words[at + i], 0x9e3779b1) ^ (hash >>> 15);
    const place = (hash ^ (hash >>> 16)) & (CAPACITY - 1);
    const known = this.#places[place];
    if (known !== undefined && known.words.length === count) {
      const knownWords = known.words;
      let i = 0;
      while (i < count && knownWords[i] === words[at + i]) i++;
      if (i === count) return known;
    }
    const shape = parse(words.slice(at, at + count));
    this.#places[place] = shape;
    return shape;
  }
}

function parse(words: Int32Array): ReadShape {
  const lengthBytes = words[1];
  if (words.length < HEAD_WORDS || lengthBytes < 0 || lengthBytes > (words.length - HEAD_WORDS) * 4)
    throw corrupted('a shape is too short');
  const start = HEAD_WORDS * 4;
  const keys = Buffer.from(words.buffer)
    .latin1Slice(start, start + lengthBytes)
    .split(SEPARATOR);
  if (keys.length !== words[0] || keys.includes('__proto__')) throw corrupted('a shape does not have the keys it says');
  return { keys, words, template: Object.fromEntries(keys.map((key) => [key, undefined])) };
}
