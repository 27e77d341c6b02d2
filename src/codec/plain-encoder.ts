import { types } from 'node:util';
import { describe } from '../errors.js';
import { isFixed, refuseDetached, viewKind } from './binary.js';
import { Containers } from './containers.js';
import { ValueKind } from './kinds.js';
import {
  ERROR_CAUSE,
  ERROR_ERRORS,
  ERROR_MESSAGE,
  ERROR_NAMES,
  ERROR_STACK,
  HAS_REFERENCES,
  MAX_DEPTH,
  MAX_PAYLOAD,
  Tag,
} from './plain-format.js';
import { KnownKeys } from './shapes.js';
import { encodeStructured } from './structured.js';
import { isOrdinary, refuseEmptied, unstorable } from './unstorable.js';

const STRUCTURE_WORDS = 16 * 1024;
const TEXT_BYTES = 64 * 1024;
/** Longest string written by a loop; above, a native check and copy win. */
const LOOP_LENGTH = 48;
/** Up to so many bytes of text are copied by a loop. */
const LOOP_BYTES = 160;
/** Thrown, and caught again, where two views of one value lie on the same memory. */
const SHARES_MEMORY = Symbol('shares memory');

/**
 * Writes objects in one pass: each property is read once, as structuredClone reads it. A getter that stores something
 * encodes by an encoder of its own, since this one is busy.
 */
export class PlainEncoder {
  /** The encoded bytes are [0, lengthBytes) of `bytes`, valid until the next `encode`. */
  words = new Int32Array(STRUCTURE_WORDS + (TEXT_BYTES >> 2));
  bytes = Buffer.from(this.words.buffer);
  lengthBytes = 0;
  #textWords = new Int32Array(TEXT_BYTES >> 2);
  #text = Buffer.from(this.#textWords.buffer);
  readonly #shapes = new KnownKeys();
  readonly #double = new Float64Array(1);
  readonly #doubleWords = new Int32Array(this.#double.buffer);
  readonly #containers = new Containers();
  /** ArrayBuffers that views lie on. */
  readonly #buffers = new Set<ArrayBufferLike>();
  #hasReferences = false;
  #word = 0;
  #textAt = 0;
  #busy = false;

  /** Whether it is at work: what is encoded now has called back. */
  get isBusy(): boolean {
    return this.#busy;
  }

  /**
   * False for what only V8's serialization keeps as it is: views that share their memory. Throws ERR_INVALID_VALUE for what
   * cannot be kept, and what a getter throws.
   */
  encode(value: object): boolean {
    this.#shrink();
    this.#busy = true;
    this.#hasReferences = false;
    this.#word = 1;
    this.#textAt = 0;
    try {
      this.#container(value, 1);
      this.#finish();
      return true;
    } catch (error) {
      if (error === SHARES_MEMORY) return false;
      throw error;
    } finally {
      this.#containers.forget();
      this.#buffers.clear();
      this.#busy = false;
    }
  }

  #finish(): void {
    const end = this.#word;
    const textBytes = this.#textAt;
    const count = (textBytes + 3) >> 2;
    this.#need(count);
    const { words, bytes } = this;
    words[0] = end | (this.#hasReferences ? HAS_REFERENCES : 0);
    if (textBytes <= LOOP_BYTES) for (let i = 0; i < count; i++) words[end + i] = this.#textWords[i];
    else this.#text.copy(bytes, end * 4, 0, textBytes);
    if ((textBytes & 3) !== 0) words[end + count - 1] &= (1 << ((textBytes & 3) * 8)) - 1;
    this.lengthBytes = end * 4 + textBytes;
  }

  /** Room for so many words more. A large value's memory is given up with the next small one. */
  #need(count: number): void {
    const wanted = this.#word + count;
    if (wanted <= this.words.length) return;
    const words = wordsOf(Math.max(wanted, this.words.length * 2));
    words.set(this.words.subarray(0, this.#word));
    this.words = words;
    this.bytes = Buffer.from(words.buffer);
  }

  /** Room for so many bytes of text more. */
  #needText(count: number): void {
    const wanted = this.#textAt + count;
    if (wanted <= this.#text.length) return;
    const words = wordsOf((Math.max(wanted, this.#text.length * 2) + 3) >> 2);
    const text = Buffer.from(words.buffer);
    this.#text.copy(text, 0, 0, this.#textAt);
    this.#textWords = words;
    this.#text = text;
  }

  /** Back to the usual size, after a large value. */
  #shrink(): void {
    if (this.words.length > 4 * STRUCTURE_WORDS) {
      this.words = new Int32Array(STRUCTURE_WORDS + (TEXT_BYTES >> 2));
      this.bytes = Buffer.from(this.words.buffer);
    }
    if (this.#text.length > 4 * TEXT_BYTES) {
      this.#textWords = new Int32Array(TEXT_BYTES >> 2);
      this.#text = Buffer.from(this.#textWords.buffer);
    }
  }

  #tag(tag: number, payload: number): void {
    this.words[this.#word++] = (payload << 8) | tag;
  }

  #value(value: unknown, depth: number): void {
    // Room for the largest scalar, so that only strings, shapes and binary data need to look.
    this.#need(4);
    switch (typeof value) {
      case 'string':
        this.#string(value);
        return;
      case 'number':
        this.#number(value);
        return;
      case 'boolean':
        this.#tag(value ? Tag.true : Tag.false, 0);
        return;
      case 'undefined':
        this.#tag(Tag.undefined, 0);
        return;
      case 'object':
        if (value === null) this.#tag(Tag.null, 0);
        else this.#container(value, depth + 1);
        return;
      case 'bigint':
        this.#bigint(value);
        return;
      default:
        throw unstorable(`functions and symbols cannot, and it holds ${describe(value)}`);
    }
  }

  #number(value: number): void {
    if ((value << 8) >> 8 === value && (value !== 0 || 1 / value > 0)) this.#tag(Tag.integer, value);
    else this.#float(Tag.float64, value);
  }

  #float(tag: number, value: number): void {
    const { words } = this;
    this.#double[0] = value;
    words[this.#word] = tag;
    words[this.#word + 1] = this.#doubleWords[0];
    words[this.#word + 2] = this.#doubleWords[1];
    this.#word += 3;
  }

  #bigint(value: bigint): void {
    const digits = value.toString(16);
    if (digits.length > MAX_PAYLOAD) throw unstorable('it holds a bigint that is too long');
    this.#latin1(Tag.bigint, digits);
  }

  #latin1(tag: number, value: string): void {
    this.#needText(value.length);
    this.#text.latin1Write(value, this.#textAt, value.length);
    this.#tag(tag, value.length);
    this.#textAt += value.length;
  }

  #string(value: string): void {
    const length = value.length;
    if (length > MAX_PAYLOAD) throw unstorable(`it holds a string of ${length} characters, ${MAX_PAYLOAD} are allowed`);
    this.#needText(length);
    const start = this.#textAt;
    const text = this.#text;
    if (length <= LOOP_LENGTH) {
      let seen = 0;
      for (let i = 0; i < length; i++) {
        const c = value.charCodeAt(i);
        seen |= c;
        text[start + i] = c;
      }
      if (seen > 255) {
        this.#wide(value);
        return;
      }
    } else if (Buffer.byteLength(value) === length) {
      text.latin1Write(value, start, length);
    } else {
      this.#wide(value);
      return;
    }
    this.#tag(Tag.text, length);
    this.#textAt = start + length;
  }

  #wide(value: string): void {
    const count = (value.length + 1) >> 1;
    this.#need(1 + count);
    const at = this.#word;
    this.words[at] = (value.length << 8) | Tag.wideText;
    this.words[at + count] = count === 0 ? this.words[at] : 0;
    this.bytes.ucs2Write(value, (at + 1) * 4, value.length * 2);
    this.#word = at + 1 + count;
  }

  #container(value: object, depth: number): void {
    if (depth > MAX_DEPTH) throw unstorable(`it is nested more than ${MAX_DEPTH} levels deep`);
    if (types.isProxy(value)) throw unstorable('it is or holds a Proxy');
    const met = this.#containers.meet(value);
    if (met >= 0) {
      if (met > MAX_PAYLOAD) throw unstorable('it has too many objects');
      this.#hasReferences = true;
      this.#tag(Tag.reference, met);
      return;
    }
    if (Array.isArray(value)) {
      this.#array(value, depth);
      return;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      this.#object(value as Record<string, unknown>, Object.keys(value), depth);
      return;
    }
    this.#builtIn(value, depth);
  }

  /** Instances of classes, those of the language and those of programs. */
  #builtIn(value: object, depth: number): void {
    if (types.isDate(value)) this.#float(Tag.date, Date.prototype.getTime.call(value));
    else if (types.isMap(value)) this.#map(value, depth);
    else if (types.isSet(value)) this.#set(value, depth);
    else if (ArrayBuffer.isView(value)) this.#view(value);
    else if (types.isArrayBuffer(value)) this.#arrayBuffer(value);
    else if (types.isRegExp(value)) this.#regexp(value);
    else if (types.isNativeError(value)) this.#error(value, depth);
    else if (isOrdinary(value)) this.#object(value as Record<string, unknown>, Object.keys(value), depth);
    else this.#structured(value);
  }

  #array(array: readonly unknown[], depth: number): void {
    const length = array.length;
    const keys = Object.keys(array);
    // Named properties, or holes that would take more room than what is there: V8 has forms for them.
    if (length > MAX_PAYLOAD || (keys.length !== length && (length > 4096 || !keys.every(isIndex)))) {
      this.#structured(array);
      return;
    }
    this.#tag(Tag.array, length);
    for (let i = 0; i < length; i++) {
      const value = array[i];
      if (value === undefined && !Object.hasOwn(array, i)) {
        this.#need(4);
        this.#tag(Tag.hole, 0);
      } else {
        this.#value(value, depth);
      }
    }
  }

  #object(object: Record<string, unknown>, keys: readonly string[], depth: number): void {
    if (keys.length === 0) refuseEmptied(object, keys);
    const shape = this.#shapes.find(keys);
    if (shape === undefined) {
      this.#dictionary(object, keys, depth);
      return;
    }
    const shapeWords = shape.words;
    const count = shapeWords.length;
    this.#need(1 + count);
    const { words } = this;
    let at = this.#word;
    words[at++] = (count << 8) | Tag.object;
    for (let i = 0; i < count; i++) words[at + i] = shapeWords[i];
    this.#word = at + count;
    for (let i = 0; i < keys.length; i++) this.#value(object[keys[i]], depth);
  }

  #dictionary(object: Record<string, unknown>, keys: readonly string[], depth: number): void {
    this.#need(1);
    this.#count(Tag.dictionary, keys.length);
    for (const key of keys) {
      this.#value(key, depth);
      this.#value(object[key], depth);
    }
  }

  #count(tag: number, count: number): void {
    if (count > MAX_PAYLOAD) throw unstorable(`it has ${count} entries, ${MAX_PAYLOAD} are allowed`);
    this.#tag(tag, count);
  }

  #map(map: ReadonlyMap<unknown, unknown>, depth: number): void {
    // As structuredClone does: what a getter of an entry adds or removes is not looked at.
    const entries = [...Map.prototype.entries.call(map)];
    this.#count(Tag.map, entries.length);
    for (const [key, value] of entries) {
      this.#value(key, depth);
      this.#value(value, depth);
    }
  }

  #set(set: ReadonlySet<unknown>, depth: number): void {
    const values = [...Set.prototype.values.call(set)];
    this.#count(Tag.set, values.length);
    for (const value of values) this.#value(value, depth);
  }

  #regexp(regexp: RegExp): void {
    this.#tag(Tag.regexp, 0);
    this.#value(regexp.source, 0);
    this.#value(regexp.flags, 0);
  }

  #error(error: Error & { errors?: unknown }, depth: number): void {
    const name = ERROR_NAMES.indexOf(error.name as (typeof ERROR_NAMES)[number]);
    const own = (property: string): boolean => Object.hasOwn(error, property);
    const { message, stack } = error;
    const has =
      (own('message') ? ERROR_MESSAGE : 0) |
      (typeof stack === 'string' ? ERROR_STACK : 0) |
      (own('cause') ? ERROR_CAUSE : 0) |
      (own('errors') ? ERROR_ERRORS : 0);
    this.#tag(Tag.error, (Math.max(0, name) << 4) | has);
    if ((has & ERROR_MESSAGE) !== 0) this.#value(String(message), depth);
    if ((has & ERROR_STACK) !== 0) this.#value(stack, depth);
    if ((has & ERROR_CAUSE) !== 0) this.#value(error.cause, depth);
    if ((has & ERROR_ERRORS) !== 0) this.#value(error.errors, depth);
  }

  #view(view: ArrayBufferView): void {
    const kind = viewKind(view);
    const { buffer } = view;
    // A view of detached memory does not tell its length.
    refuseDetached(buffer);
    const { byteOffset, byteLength } = view;
    const isOwn = kind === ValueKind.buffer || types.isSharedArrayBuffer(buffer);
    if (!isOwn) this.#meetMemory(buffer);
    // A part of its memory: V8 keeps the whole.
    if (!isOwn && !(isFixed(buffer) && byteOffset === 0 && byteLength === buffer.byteLength)) {
      this.#structured(view);
      return;
    }
    this.#tag(Tag.view, kind);
    this.#binary(new Uint8Array(buffer, byteOffset, byteLength));
  }

  #meetMemory(buffer: ArrayBufferLike): void {
    if (this.#buffers.has(buffer)) throw SHARES_MEMORY;
    this.#buffers.add(buffer);
  }

  #arrayBuffer(buffer: ArrayBuffer): void {
    refuseDetached(buffer);
    this.#meetMemory(buffer);
    if (!isFixed(buffer)) {
      this.#structured(buffer);
      return;
    }
    this.#tag(Tag.arrayBuffer, 0);
    this.#binary(new Uint8Array(buffer));
  }

  #structured(value: object): void {
    if (Object.keys(value).length === 0 && !Array.isArray(value) && !types.isBoxedPrimitive(value) && !isBinary(value))
      refuseEmptied(value, []);
    const bytes = encodeStructured(value);
    if (bytes.length > MAX_PAYLOAD) throw unstorable(`${bytes.length} bytes of it have no quicker form`);
    this.#tag(Tag.structured, bytes.length);
    this.#bytes(bytes);
  }

  #binary(bytes: Uint8Array): void {
    this.#need(1);
    this.words[this.#word++] = bytes.length;
    this.#bytes(bytes);
  }

  #bytes(bytes: Uint8Array): void {
    const count = (bytes.length + 3) >> 2;
    this.#need(count);
    if (count === 0) return;
    this.words[this.#word + count - 1] = 0;
    this.bytes.set(bytes, this.#word * 4);
    this.#word += count;
  }
}

function wordsOf(count: number): Int32Array<ArrayBuffer> {
  try {
    return new Int32Array(count);
  } catch {
    throw unstorable(`its encoded form is too large, ${count * 4} bytes were not to be had`);
  }
}

const isIndex = (key: string): boolean => /^(0|[1-9][0-9]*)$/.test(key);

const isBinary = (value: object): boolean => ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value);
