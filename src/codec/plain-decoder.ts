/**
 * Reads plain-format.ts from private memory. Every length is checked, so any bytes end in a value or ERR_CORRUPTED.
 *
 * The cursor is the module's own, not an object's: a thread decodes one value at a time and runs no code of the user's
 * meanwhile, and reaching fields through `this` at each word cost up to a quarter more on arrays of numbers.
 *
 * Properties are defined, never assigned to what may be inherited: a setter on Object.prototype, or a frozen one, must not
 * change what comes back. Classes are those of the realm this module was loaded in.
 */
import { viewOf } from './binary.js';
import { corrupted } from './corrupted.js';
import {
  ERROR_CAUSE,
  ERROR_ERRORS,
  ERROR_MESSAGE,
  ERROR_NAMES,
  ERROR_STACK,
  HAS_REFERENCES,
  MAX_DEPTH,
  Tag,
} from './plain-format.js';
import { KnownWords } from './shapes.js';
import { decodeStructured } from './structured.js';

const shapes = new KnownWords();
const doubleWords = new Int32Array(2);
const double = new Float64Array(doubleWords.buffer);
/** Elements that exist: an array cut from it has elements of its own to be stored to. */
const ELEMENTS: readonly unknown[] = Array.from({ length: 1024 }, () => 0);
/** The memory decoded last, mostly the caller's scratch, and its words: making a view costs more than a small value. */
let memory: ArrayBufferLike | undefined;
let memoryWords: Int32Array = doubleWords;

let words: Int32Array = doubleWords;
let bytes: Buffer = Buffer.alloc(0);
let text = '';
let word = 0;
let end = 0;
let textAt = 0;
/** The objects so far, in the order in which they began, when the value has references. */
let met: unknown[] | undefined;

/** The value in the first `lengthBytes` of `source`. */
export function decodePlain(source: Buffer, lengthBytes: number): unknown {
  bytes = (source.byteOffset & 3) === 0 ? source : copyOf(source);
  words = wordsOf(bytes);
  const head = lengthBytes < 4 ? 0 : words[0];
  end = head & ~HAS_REFERENCES;
  if (end < 2 || end * 4 > lengthBytes) throw corrupted('its value has no structure');
  word = 1;
  textAt = 0;
  text = end * 4 === lengthBytes ? '' : bytes.latin1Slice(end * 4, lengthBytes);
  met = (head & HAS_REFERENCES) === 0 ? undefined : [];
  try {
    const value = decodeValue(0);
    if (word !== end || textAt !== text.length) throw corrupted('its value has bytes left over');
    return value;
  } finally {
    met = undefined;
  }
}

function wordsOf(source: Buffer): Int32Array {
  if (source.byteOffset !== 0) return new Int32Array(source.buffer, source.byteOffset, source.length >> 2);
  if (source.buffer !== memory) {
    memory = source.buffer;
    memoryWords = new Int32Array(memory, 0, memory.byteLength >> 2);
  }
  return memoryWords;
}

function copyOf(source: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(source.length);
  source.copy(copy);
  return copy;
}

function decodeValue(depth: number): unknown {
  if (word >= end) throw corrupted('its value breaks off');
  const head = words[word++];
  switch (head & 0xff) {
    case Tag.text:
      return takeText(head >>> 8);
    case Tag.integer:
      return head >> 8;
    case Tag.float64:
      return takeDouble();
    case Tag.object:
      return decodeObject(head >>> 8, depth + 1);
    case Tag.array:
      return decodeArray(head >>> 8, depth + 1);
    case Tag.null:
      return null;
    case Tag.true:
      return true;
    case Tag.false:
      return false;
    case Tag.undefined:
      return undefined;
    case Tag.wideText: {
      const units = head >>> 8;
      const start = take((units + 1) >> 1) * 4;
      return bytes.ucs2Slice(start, start + units * 2);
    }
    case Tag.dictionary:
      return decodeDictionary(head >>> 8, depth + 1);
    default:
      return decodeRare(head & 0xff, head >>> 8, depth + 1);
  }
}

function decodeRare(tag: number, payload: number, depth: number): unknown {
  switch (tag) {
    case Tag.bigint:
      return bigintOf(takeText(payload));
    case Tag.date:
      return meet(new Date(takeDouble()));
    case Tag.map:
      return decodeMap(payload, depth);
    case Tag.set:
      return decodeSet(payload, depth);
    case Tag.regexp:
      return decodeRegexp(depth);
    case Tag.error:
      return decodeError(payload, depth);
    case Tag.view:
      return decodeView(payload);
    case Tag.arrayBuffer:
      return meet(takeBinary());
    case Tag.reference:
      if (met === undefined || payload >= met.length) throw corrupted('it refers to an object that is not there');
      return met[payload];
    case Tag.structured: {
      const at = take((payload + 3) >> 2) * 4;
      return meet(decodeStructured(bytes.subarray(at, at + payload)));
    }
    default:
      throw corrupted('its value has an unknown tag');
  }
}

/** Notes an object that references may name. */
function meet<T>(object: T): T {
  met?.push(object);
  return object;
}

/** The index of the next `count` words, which are now read. */
function take(count: number): number {
  const at = word;
  if (count > end - at) throw corrupted('its value breaks off');
  word = at + count;
  return at;
}

function takeText(length: number): string {
  const start = textAt;
  textAt = start + length;
  if (textAt > text.length) throw corrupted('its text breaks off');
  return text.slice(start, textAt);
}

function takeDouble(): number {
  const at = take(2);
  doubleWords[0] = words[at];
  doubleWords[1] = words[at + 1];
  return double[0];
}

function decodeArray(length: number, depth: number): unknown[] {
  // Each element has a word at least, so a length that memory is set aside for is one the value has room for.
  if (depth > MAX_DEPTH || length > end - word) throw corrupted('an array breaks off');
  const array = length <= ELEMENTS.length ? ELEMENTS.slice(0, length) : Array.from({ length }, () => 0 as unknown);
  meet(array);
  for (let i = 0; i < length; i++) {
    if ((words[word] & 0xff) === Tag.hole && word < end) {
      word++;
      delete array[i];
    } else {
      array[i] = decodeValue(depth);
    }
  }
  return array;
}

function decodeObject(shapeWords: number, depth: number): object {
  if (depth > MAX_DEPTH) throw corrupted('its value is too deep');
  const at = take(shapeWords);
  const { keys, template } = shapes.find(words, at, shapeWords);
  const object: Record<string, unknown> = { ...template };
  meet(object);
  for (let i = 0; i < keys.length; i++) object[keys[i]] = decodeValue(depth);
  return object;
}

function decodeDictionary(count: number, depth: number): object {
  if (depth > MAX_DEPTH) throw corrupted('its value is too deep');
  const object: Record<string, unknown> = {};
  meet(object);
  for (let i = 0; i < count; i++) {
    const key = decodeValue(depth);
    if (typeof key !== 'string') throw corrupted('a key is not a key');
    const value = decodeValue(depth);
    if (key in object)
      Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
    else object[key] = value;
  }
  return object;
}

function decodeMap(count: number, depth: number): Map<unknown, unknown> {
  if (depth > MAX_DEPTH || count * 2 > end - word) throw corrupted('a Map breaks off');
  const map = meet(new Map<unknown, unknown>());
  for (let i = 0; i < count; i++) {
    const key = decodeValue(depth);
    map.set(key, decodeValue(depth));
  }
  return map;
}

function decodeSet(count: number, depth: number): Set<unknown> {
  if (depth > MAX_DEPTH || count > end - word) throw corrupted('a Set breaks off');
  const set = meet(new Set<unknown>());
  for (let i = 0; i < count; i++) set.add(decodeValue(depth));
  return set;
}

function decodeRegexp(depth: number): RegExp {
  const [source, flags] = [decodeValue(depth), decodeValue(depth)];
  if (typeof source !== 'string' || typeof flags !== 'string') throw corrupted('a regular expression is none');
  try {
    return meet(new RegExp(source, flags));
  } catch (cause) {
    throw corrupted('a regular expression is none', cause);
  }
}

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError } as const;

function decodeError(payload: number, depth: number): Error {
  const name = ERROR_NAMES[payload >>> 4];
  if (depth > MAX_DEPTH || name === undefined) throw corrupted('an error is none');
  const error = meet(name === 'AggregateError' ? new AggregateError([]) : new ERRORS[name]());
  const define = (property: string, flag: number): void => {
    if ((payload & flag) === 0) return;
    const value = decodeValue(depth);
    Object.defineProperty(error, property, { value, writable: true, enumerable: false, configurable: true });
  };
  // What a new error has of its own is not what the old one had.
  delete (error as Partial<Error>).stack;
  delete (error as { errors?: unknown }).errors;
  define('message', ERROR_MESSAGE);
  define('stack', ERROR_STACK);
  define('cause', ERROR_CAUSE);
  define('errors', ERROR_ERRORS);
  return error;
}

function decodeView(kind: number): ArrayBufferView {
  const buffer = takeBinary();
  return meet(viewOf(kind, buffer, 0, buffer.byteLength));
}

/** Bytes of their own memory, in an ArrayBuffer of this realm. */
function takeBinary(): ArrayBuffer {
  const length = words[take(1)];
  if (length < 0) throw corrupted('its binary data break off');
  const at = take((length + 3) >>> 2) * 4;
  const buffer = new ArrayBuffer(length);
  new Uint8Array(buffer).set(bytes.subarray(at, at + length));
  return buffer;
}

/** The bigint with these hexadecimal digits. */
export function bigintOf(digits: string): bigint {
  const isNegative = digits.startsWith('-');
  const positive = isNegative ? digits.slice(1) : digits;
  if (!/^[0-9a-f]+$/.test(positive)) throw corrupted('its bigint has other characters than digits');
  return isNegative ? -BigInt(`0x${positive}`) : BigInt(`0x${positive}`);
}
