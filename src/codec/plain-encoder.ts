import { types } from 'node:util';
import { describe } from '../errors.js';
import { type ResizableArrayBuffer, refuseDetached, tracksLength, viewKind } from './binary.js';
import { Containers } from './containers.js';
import { errorType, isDomException, partsOf } from './error-parts.js';
import { ValueKind } from './kinds.js';
import { COUNT_FOLLOWS, ERROR_TYPE_SHIFT, HAS_REFERENCES, MAX_DEPTH, Tag, TRACKS_LENGTH } from './plain-format.js';
import { KnownKeys } from './shapes.js';
import { refuseHidden, unstorable } from './unstorable.js';

const STRUCTURE_WORDS = 16 * 1024;
const TEXT_BYTES = 64 * 1024;
/** Longest string written by a loop; above, a native check and copy win. */
const LOOP_LENGTH = 48;
/** Up to so many bytes of text are copied by a loop. */
const LOOP_BYTES = 160;
/** Longer strings lie in the structure: a string that is cut out of the text keeps all of the text alive. */
const LONG_LENGTH = 16 * 1024;
/** Most bytes of text, since one string is made of it. */
const MAX_TEXT_BYTES = 1 << 28;
/** Arrays with more places and any hole are sparse. */
const MANY_PLACES = 4096;

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
  /** Containers that are too deep for the recursion, in the order in which they are filled. */
  readonly #later = new Set<object>();
  /** Whether the value holds primitives, plain objects and arrays only. */
  #isPlain = true;
  #hasReferences = false;
  #word = 0;
  #textAt = 0;
  #busy = false;

  /** Whether it is at work: what is encoded now has called back. */
  get isBusy(): boolean {
    return this.#busy;
  }

  /** Of the value encoded last: whether it holds primitives, plain objects and arrays only. */
  get isPlain(): boolean {
    return this.#isPlain;
  }

  /** Throws ERR_INVALID_VALUE for what cannot be kept, and what a getter throws. */
  encode(value: object): void {
    this.#shrink();
    this.#busy = true;
    this.#isPlain = true;
    this.#hasReferences = false;
    this.#word = 1;
    this.#textAt = 0;
    try {
      this.#container(value, 1);
      // Grows meanwhile: a Set's iteration visits what is added during it.
      for (const container of this.#later) this.#content(container, 1);
      this.#finish();
    } finally {
      this.#containers.forget();
      this.#later.clear();
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

  /** A tag whose payload is a count; it takes two words at most. */
  #count(tag: number, count: number): void {
    if (count < COUNT_FOLLOWS) {
      this.#tag(tag, count);
    } else {
      this.#tag(tag, COUNT_FOLLOWS);
      this.words[this.#word++] = count;
    }
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
    this.#tag(Tag.bigint, 0);
    this.#string(value.toString(16));
  }

  #string(value: string): void {
    const length = value.length;
    if (length > LONG_LENGTH || this.#textAt > MAX_TEXT_BYTES) {
      this.#longText(value);
      return;
    }
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
    this.#need(1);
    this.#tag(Tag.text, length);
    this.#textAt = start + length;
  }

  /** In the structure, in as many bytes as characters if it is ASCII. */
  #longText(value: string): void {
    const length = value.length;
    if (Buffer.byteLength(value) !== length) {
      this.#wide(value);
      return;
    }
    const start = this.#startBytes(Tag.longText, length, length);
    this.bytes.latin1Write(value, start, length);
  }

  #wide(value: string): void {
    const start = this.#startBytes(Tag.wideText, value.length, value.length * 2);
    this.bytes.ucs2Write(value, start, value.length * 2);
  }

  /** Where so many bytes are to be written next, behind the tag and its count; they are padded with zeros to a word. */
  #startBytes(tag: number, count: number, lengthBytes: number): number {
    const words = (lengthBytes + 3) >> 2;
    this.#need(2 + words);
    this.#count(tag, count);
    const at = this.#word;
    if (words > 0) this.words[at + words - 1] = 0;
    this.#word = at + words;
    return at * 4;
  }

  #container(value: object, depth: number): void {
    if (types.isProxy(value)) throw unstorable('it is or holds a Proxy');
    const met = this.#containers.meet(value);
    if (met >= 0) {
      this.#hasReferences = true;
      this.#count(Tag.reference, met);
      return;
    }
    const later = depth > MAX_DEPTH ? laterTag(value) : 0;
    if (later === 0) {
      this.#content(value, depth);
    } else {
      this.#later.add(value);
      this.#tag(Tag.later, later);
    }
  }

  #content(value: object, depth: number): void {
    if (Array.isArray(value)) {
      this.#array(value, depth);
      return;
    }
    const prototype = Object.getPrototypeOf(value) as object | null;
    const isPlain = prototype === Object.prototype || prototype === null;
    const keys = Object.keys(value);
    // An object that was given another prototype is still what it was made as.
    if ((!isPlain || keys.length === 0) && this.#builtIn(value, depth)) return;
    if (!isPlain) refuseHidden(prototype, keys);
    this.#object(value as Record<string, unknown>, keys, depth);
  }

  /** False for what is no object of a class of the language. */
  #builtIn(value: object, depth: number): boolean {
    if (types.isDate(value)) this.#float(Tag.date, Date.prototype.getTime.call(value));
    else if (types.isMap(value)) this.#map(value, depth);
    else if (types.isSet(value)) this.#set(value, depth);
    else if (ArrayBuffer.isView(value)) this.#view(value, depth);
    else if (types.isArrayBuffer(value)) this.#arrayBuffer(value as ResizableArrayBuffer);
    else if (types.isRegExp(value)) this.#regexp(value);
    else if (types.isNativeError(value) || isDomException(value)) this.#error(value, depth);
    else if (types.isBoxedPrimitive(value)) this.#boxed(value, depth);
    else return false;
    this.#isPlain = false;
    return true;
  }

  #array(array: readonly unknown[], depth: number): void {
    const length = array.length;
    const keys = Object.keys(array);
    const isDense = keys.length === length && (length === 0 || keys[length - 1] === String(length - 1));
    if (!isDense && (length > MANY_PLACES || !keys.every(isIndex))) {
      this.#sparseArray(array, keys, depth);
      return;
    }
    this.#need(2);
    this.#count(Tag.array, length);
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

  #sparseArray(array: readonly unknown[], keys: readonly string[], depth: number): void {
    this.#need(5);
    this.#count(Tag.sparseArray, keys.length);
    this.#number(array.length);
    this.#pairs(array as unknown as Record<string, unknown>, keys, depth);
  }

  #object(object: Record<string, unknown>, keys: readonly string[], depth: number): void {
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
    this.#need(2);
    this.#count(Tag.dictionary, keys.length);
    this.#pairs(object, keys, depth);
  }

  #pairs(object: Record<string, unknown>, keys: readonly string[], depth: number): void {
    for (const key of keys) {
      this.#string(key);
      this.#value(object[key], depth);
    }
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

  #error(error: Error, depth: number): void {
    const type = errorType(error);
    const parts = partsOf(error, type);
    let has = 0;
    for (const part of parts.keys()) has |= part;
    this.#tag(Tag.error, (type << ERROR_TYPE_SHIFT) | has);
    for (const value of parts.values()) this.#value(value, depth);
  }

  #boxed(value: object, depth: number): void {
    if (types.isSymbolObject(value)) throw unstorable('it is or holds a symbol');
    this.#tag(Tag.boxed, 0);
    this.#value(unboxed(value), depth);
  }

  #view(view: ArrayBufferView, depth: number): void {
    refuseDetached(view);
    const { buffer, byteOffset, byteLength } = view;
    const kind = viewKind(view);
    if (kind === ValueKind.buffer) {
      this.#binary(Tag.buffer, view as Buffer);
      return;
    }
    // Shared memory may change meanwhile, and what is stored is plain memory: the view's own bytes of it.
    const isShared = types.isSharedArrayBuffer(buffer);
    this.#need(7);
    this.#tag(Tag.view, kind);
    this.#number(isShared ? 0 : byteOffset);
    this.#number(tracksLength(view) ? TRACKS_LENGTH : byteLength);
    this.#value(isShared ? new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength)).buffer : buffer, depth);
  }

  #arrayBuffer(buffer: ResizableArrayBuffer): void {
    refuseDetached(buffer);
    if (buffer.resizable === true) {
      this.#float(Tag.resizableBuffer, buffer.maxByteLength);
      this.#need(4);
    }
    this.#binary(Tag.arrayBuffer, new Uint8Array(buffer));
  }

  #binary(tag: number, bytes: Uint8Array): void {
    const start = this.#startBytes(tag, bytes.length, bytes.length);
    this.bytes.set(bytes, start);
  }
}

/** What Tag.later says of a container; 0 for what holds no other values. */
function laterTag(value: object): number {
  if (Array.isArray(value)) return Tag.array;
  if (types.isMap(value)) return Tag.map;
  if (types.isSet(value)) return Tag.set;
  if (types.isNativeError(value) || isDomException(value)) return (errorType(value) << 8) | Tag.error;
  const holdsNone =
    types.isDate(value) || types.isRegExp(value) || types.isBoxedPrimitive(value) || types.isAnyArrayBuffer(value);
  return holdsNone || ArrayBuffer.isView(value) ? 0 : Tag.object;
}

function unboxed(value: object): unknown {
  if (types.isNumberObject(value)) return Number.prototype.valueOf.call(value);
  if (types.isStringObject(value)) return String.prototype.valueOf.call(value);
  if (types.isBooleanObject(value)) return Boolean.prototype.valueOf.call(value);
  return BigInt.prototype.valueOf.call(value);
}

function wordsOf(count: number): Int32Array<ArrayBuffer> {
  try {
    return new Int32Array(count);
  } catch {
    throw unstorable(`its encoded form is too large, ${count * 4} bytes were not to be had`);
  }
}

const isIndex = (key: string): boolean => /^(0|[1-9][0-9]*)$/.test(key);
