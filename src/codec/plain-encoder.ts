import { types } from 'node:util';
import { MAX_DEPTH, MAX_PAYLOAD, Tag } from './plain-format.js';
import { KnownKeys } from './shapes.js';

const STRUCTURE_WORDS = 16 * 1024;
const TEXT_BYTES = 64 * 1024;
/** Longest string written by a loop; above, a native check and copy win. */
const LOOP_LENGTH = 48;
/** Up to so many containers are compared one by one, more are kept in a Set. */
const FEW_CONTAINERS = 12;

/**
 * Writes plain trees in one pass: each property is read once, as structuredClone reads it, and whatever the quick form
 * cannot keep (see `encode`) is noticed on the way.
 */
export class PlainEncoder {
  /** The encoded bytes are [0, lengthBytes) of `bytes`, valid until the next `encode`. */
  readonly words = new Int32Array(STRUCTURE_WORDS + (TEXT_BYTES >> 2));
  readonly bytes = Buffer.from(this.words.buffer);
  lengthBytes = 0;
  readonly #textWords = new Int32Array(TEXT_BYTES >> 2);
  readonly #text = Buffer.from(this.#textWords.buffer);
  readonly #shapes = new KnownKeys();
  readonly #double = new Float64Array(1);
  readonly #doubleWords = new Int32Array(this.#double.buffer);
  readonly #few: unknown[] = new Array(FEW_CONTAINERS).fill(undefined);
  readonly #many = new Set<unknown>();
  #containers = 0;
  #word = 0;
  #textAt = 0;
  #busy = false;

  /**
   * False for what is not a plain tree or is too large: other classes, bigints, holes, named properties of arrays,
   * `__proto__` as a key, an object that is met twice, proxies, what cannot be cloned at all, and values of values that
   * are being encoded (a getter that stores something). Throws what a getter throws.
   */
  encode(value: object): boolean {
    if (this.#busy) return false;
    this.#busy = true;
    this.#word = 1;
    this.#textAt = 0;
    try {
      if (!this.#container(value, 0)) return false;
      this.#finish();
      return true;
    } finally {
      this.#forget();
      this.#busy = false;
    }
  }

  #finish(): void {
    const words = this.words;
    const end = this.#word;
    const textBytes = this.#textAt;
    words[0] = end;
    if (textBytes <= 160) {
      const text = this.#textWords;
      const count = (textBytes + 3) >> 2;
      for (let i = 0; i < count; i++) words[end + i] = text[i];
      if ((textBytes & 3) !== 0) words[end + count - 1] &= (1 << ((textBytes & 3) * 8)) - 1;
    } else {
      this.#text.copy(this.bytes, end * 4, 0, textBytes);
      this.bytes.fill(0, end * 4 + textBytes, (end * 4 + textBytes + 3) & ~3);
    }
    this.lengthBytes = end * 4 + textBytes;
  }

  #value(value: unknown, depth: number): boolean {
    // Room for the largest scalar, so that only strings and shapes need to look.
    if (this.#word > STRUCTURE_WORDS - 4) return false;
    switch (typeof value) {
      case 'string':
        return this.#string(value);
      case 'number':
        this.#number(value);
        return true;
      case 'boolean':
        this.words[this.#word++] = value ? Tag.true : Tag.false;
        return true;
      case 'undefined':
        this.words[this.#word++] = Tag.undefined;
        return true;
      case 'object':
        if (value !== null) return this.#container(value, depth + 1);
        this.words[this.#word++] = Tag.null;
        return true;
      default:
        return false;
    }
  }

  #number(value: number): void {
    const words = this.words;
    if ((value << 8) >> 8 === value && (value !== 0 || 1 / value > 0)) {
      words[this.#word++] = (value << 8) | Tag.integer;
      return;
    }
    this.#double[0] = value;
    words[this.#word] = Tag.float64;
    words[this.#word + 1] = this.#doubleWords[0];
    words[this.#word + 2] = this.#doubleWords[1];
    this.#word += 3;
  }

  #string(value: string): boolean {
    const length = value.length;
    const start = this.#textAt;
    if (length > TEXT_BYTES - start) return false;
    const text = this.#text;
    if (length <= LOOP_LENGTH) {
      let seen = 0;
      for (let i = 0; i < length; i++) {
        const c = value.charCodeAt(i);
        seen |= c;
        text[start + i] = c;
      }
      if (seen > 255) return this.#wide(value);
    } else if (Buffer.byteLength(value) === length) {
      text.latin1Write(value, start, length);
    } else {
      return this.#wide(value);
    }
    this.words[this.#word++] = (length << 8) | Tag.text;
    this.#textAt = start + length;
    return true;
  }

  #wide(value: string): boolean {
    const count = (value.length + 1) >> 1;
    const at = this.#word;
    if (at + 1 + count > STRUCTURE_WORDS) return false;
    this.words[at] = (value.length << 8) | Tag.wideText;
    this.words[at + count] = 0;
    this.bytes.ucs2Write(value, (at + 1) * 4, value.length * 2);
    this.#word = at + 1 + count;
    return true;
  }

  #container(value: object, depth: number): boolean {
    if (depth > MAX_DEPTH) return false;
    if (Array.isArray(value)) return this.#isNew(value) && this.#array(value, depth);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return false;
    return this.#isNew(value) && this.#object(value as Record<string, unknown>, depth);
  }

  #array(array: readonly unknown[], depth: number): boolean {
    const length = array.length;
    if (length > MAX_PAYLOAD || this.#word + length >= STRUCTURE_WORDS) return false;
    // Tells arrays with named properties; that no element is missing is seen below.
    if (Object.keys(array).length !== length) return false;
    this.words[this.#word++] = (length << 8) | Tag.array;
    for (let i = 0; i < length; i++) {
      const value = array[i];
      if (value === undefined && !Object.hasOwn(array, i)) return false;
      if (!this.#value(value, depth)) return false;
    }
    return true;
  }

  #object(object: Record<string, unknown>, depth: number): boolean {
    const keys = Object.keys(object);
    const shape = this.#shapes.find(keys);
    if (shape === undefined) return this.#dictionary(object, keys, depth);
    const words = this.words;
    const shapeWords = shape.words;
    const count = shapeWords.length;
    let at = this.#word;
    if (at + count >= STRUCTURE_WORDS) return false;
    words[at++] = (count << 8) | Tag.object;
    for (let i = 0; i < count; i++) words[at + i] = shapeWords[i];
    this.#word = at + count;
    for (let i = 0; i < keys.length; i++) {
      if (!this.#value(object[keys[i]], depth)) return false;
    }
    return true;
  }

  #dictionary(object: Record<string, unknown>, keys: readonly string[], depth: number): boolean {
    if (this.#word + keys.length * 2 >= STRUCTURE_WORDS) return false;
    this.words[this.#word++] = (keys.length << 8) | Tag.dictionary;
    for (const key of keys) {
      if (key === '__proto__' || !this.#value(key, depth) || !this.#value(object[key], depth)) return false;
    }
    return true;
  }

  /** Notes a container; false when it was met before or is a proxy. */
  #isNew(value: object): boolean {
    if (types.isProxy(value)) return false;
    const few = this.#few;
    const count = this.#containers++;
    const compared = Math.min(count, FEW_CONTAINERS);
    for (let i = 0; i < compared; i++) if (few[i] === value) return false;
    if (count < FEW_CONTAINERS) {
      few[count] = value;
      return true;
    }
    if (this.#many.has(value)) return false;
    this.#many.add(value);
    return true;
  }

  /** Keeps nothing of the caller's alive. */
  #forget(): void {
    const count = Math.min(this.#containers, FEW_CONTAINERS);
    for (let i = 0; i < count; i++) this.#few[i] = undefined;
    if (this.#containers > FEW_CONTAINERS) this.#many.clear();
    this.#containers = 0;
  }
}
