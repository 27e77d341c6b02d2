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
import { define, fillError, newError } from './error-parts.js';
import { COUNT_FOLLOWS, ERROR_TYPE_SHIFT, HAS_REFERENCES, MAX_DEPTH, Tag, TRACKS_LENGTH } from './plain-format.js';
import { KnownWords } from './shapes.js';

const shapes = new KnownWords();
const doubleWords = new Int32Array(2);
const double = new Float64Array(doubleWords.buffer);
/** Elements that exist: an array cut from it has elements of its own to be stored to. */
const ELEMENTS: readonly unknown[] = Array.from({ length: 1024 }, () => 0);
/** Memory is set aside for no more holes than this. */
const MANY_HOLES = 64 * 1024;
/** The memory decoded last, mostly the caller's scratch, and its words: making a view costs more than a small value. */
let memory: ArrayBufferLike | undefined;
let memoryWords: Int32Array = doubleWords;

let words: Int32Array = doubleWords;
let bytes: Buffer = Buffer.alloc(0);
let text = '';
let word = 0;
let end = 0;
let textAt = 0;
/** The objects so far, by their number in the order in which they began, when the value has references. */
let met: Map<number, unknown> | undefined;
/** Containers that are filled after the rest, in their order. */
const later = new Set<object>();
/** Whether objects and arrays are frozen as soon as they are full. */
let isFreezing = false;

/**
 * The value in the first `lengthBytes` of `source`. With `frozen` every object and array of it is frozen, and it holds nothing
 * that cannot be.
 */
export function decodePlain(source: Buffer, lengthBytes: number, frozen: boolean): unknown {
  bytes = (source.byteOffset & 3) === 0 ? source : copyOf(source);
  words = wordsOf(bytes);
  const head = lengthBytes < 4 ? 0 : words[0];
  end = head & ~HAS_REFERENCES;
  if (end < 2 || end * 4 > lengthBytes) throw corrupted('its value has no structure');
  word = 1;
  textAt = 0;
  text = end * 4 === lengthBytes ? '' : bytes.latin1Slice(end * 4, lengthBytes);
  met = (head & HAS_REFERENCES) === 0 ? undefined : new Map();
  isFreezing = frozen;
  try {
    const value = decodeValue(0);
    // Grows meanwhile: a Set's iteration visits what is added during it.
    if (later.size > 0) for (const container of later) fill(container);
    if (word !== end || textAt !== text.length) throw corrupted('its value has bytes left over');
    return value;
  } finally {
    met = undefined;
    if (later.size > 0) later.clear();
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
      return decodeArray(countOf(head), depth + 1);
    case Tag.null:
      return null;
    case Tag.true:
      return true;
    case Tag.false:
      return false;
    case Tag.undefined:
      return undefined;
    case Tag.wideText: {
      const units = countOf(head);
      const start = take((units + 1) >>> 1) * 4;
      return bytes.ucs2Slice(start, start + units * 2);
    }
    case Tag.dictionary:
      return decodeDictionary(countOf(head), depth + 1);
    default:
      return decodeRare(head, depth + 1);
  }
}

function decodeRare(head: number, depth: number): unknown {
  // Memory lies below its view, and the view below the last level.
  if (depth > MAX_DEPTH + 2) throw corrupted('its value is too deep');
  switch (head & 0xff) {
    case Tag.bigint:
      return bigintOf(decodeValue(depth));
    case Tag.reference:
      return metAs(countOf(head));
    case Tag.longText: {
      const length = countOf(head);
      const start = takeBytes(length);
      return bytes.latin1Slice(start, start + length);
    }
    case Tag.sparseArray:
      return fillSparseArray(meet([]), countOf(head), depth);
    case Tag.later: {
      const container = newContainer(head >>> 8);
      later.add(container);
      return meet(container);
    }
    default:
      if (isFreezing) throw corrupted('it holds what cannot be frozen');
      return decodeBuiltIn(head, depth);
  }
}

/** Objects of the classes of the language. */
function decodeBuiltIn(head: number, depth: number): unknown {
  switch (head & 0xff) {
    case Tag.date:
      return meet(new Date(takeDouble()));
    case Tag.map:
      return fillMap(meet(new Map()), countOf(head), depth);
    case Tag.set:
      return fillSet(meet(new Set()), countOf(head), depth);
    case Tag.regexp:
      return decodeRegexp(depth);
    case Tag.error:
      return fillErrorParts(meet(newError(head >>> (8 + ERROR_TYPE_SHIFT))), head, depth);
    case Tag.view:
      return decodeView(head >>> 8, depth);
    case Tag.buffer:
      return meet(Buffer.from(takeBinary(countOf(head))));
    case Tag.arrayBuffer:
      return meet(takeBinary(countOf(head)));
    case Tag.resizableBuffer:
      return meet(takeResizable());
    case Tag.boxed:
      return meet(Object(decodeValue(depth)));
    default:
      throw corrupted('its value has an unknown tag');
  }
}

/** Notes an object that references may name. */
function meet<T>(object: T): T {
  if (met !== undefined) met.set(met.size, object);
  return object;
}

function full<T extends object>(container: T): T {
  return isFreezing ? Object.freeze(container) : container;
}

function metAs(number: number): unknown {
  const object = met?.get(number);
  if (object === undefined) throw corrupted('it refers to an object that is not there');
  return object;
}

/** The count in the payload of a head, or in the word behind it. */
function countOf(head: number): number {
  const count = head >>> 8;
  return count === COUNT_FOLLOWS ? words[take(1)] >>> 0 : count;
}

/** The index of the next `count` words, which are now read. */
function take(count: number): number {
  const at = word;
  if (count > end - at) throw corrupted('its value breaks off');
  word = at + count;
  return at;
}

/** Where the next bytes begin, which are now read to the end of their last word. */
function takeBytes(count: number): number {
  return take(Math.ceil(count / 4)) * 4;
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
  if (length > end - word) throw corrupted('an array breaks off');
  return fillArray(meet(elements(length)), length, depth);
}

/** An array whose elements exist, so that storing to them asks no prototype. */
function elements(length: number): unknown[] {
  return length <= ELEMENTS.length ? ELEMENTS.slice(0, length) : Array.from({ length }, () => 0 as unknown);
}

function fillArray(array: unknown[], length: number, depth: number): unknown[] {
  if (depth > MAX_DEPTH || length > end - word) throw corrupted('an array breaks off');
  for (let i = 0; i < length; i++) {
    if ((words[word] & 0xff) === Tag.hole && word < end) {
      word++;
      delete array[i];
    } else if (i < array.length) {
      array[i] = decodeValue(depth);
    } else {
      define(array, i, decodeValue(depth), true);
    }
  }
  if (array.length < length) array.length = length;
  return full(array);
}

function decodeObject(shapeWords: number, depth: number): object {
  if (depth > MAX_DEPTH) throw corrupted('its value is too deep');
  const at = take(shapeWords);
  const { keys, template } = shapes.find(words, at, shapeWords);
  const object: Record<string, unknown> = { ...template };
  meet(object);
  for (let i = 0; i < keys.length; i++) object[keys[i]] = decodeValue(depth);
  return full(object);
}

/** The same for an object that is there already. */
function fillObject(object: object, shapeWords: number, depth: number): void {
  const at = take(shapeWords);
  const { keys } = shapes.find(words, at, shapeWords);
  for (const key of keys) define(object, key, decodeValue(depth), true);
  full(object);
}

function decodeDictionary(count: number, depth: number): object {
  if (depth > MAX_DEPTH) throw corrupted('its value is too deep');
  return fillPairs(meet({}), count, depth);
}

function fillPairs<T extends object>(object: T, count: number, depth: number): T {
  if (count * 2 > end - word) throw corrupted('an object breaks off');
  for (let i = 0; i < count; i++) {
    const key = decodeValue(depth);
    if (typeof key !== 'string') throw corrupted('a key is not a key');
    const value = decodeValue(depth);
    if (key in object) define(object, key, value, true);
    else (object as Record<string, unknown>)[key] = value;
  }
  return full(object);
}

function fillSparseArray(array: unknown[], count: number, depth: number): unknown[] {
  const length = decodeValue(depth);
  if (depth > MAX_DEPTH || typeof length !== 'number' || length !== length >>> 0) throw corrupted('an array is none');
  if (length > MANY_HOLES) {
    // An element far from all others makes a table of the array, which takes no memory for holes.
    define(array, length - 1, undefined, true);
    delete array[length - 1];
  }
  array.length = length;
  return fillPairs(array, count, depth);
}

function fillMap(map: Map<unknown, unknown>, count: number, depth: number): Map<unknown, unknown> {
  if (depth > MAX_DEPTH || count * 2 > end - word) throw corrupted('a Map breaks off');
  for (let i = 0; i < count; i++) {
    const key = decodeValue(depth);
    map.set(key, decodeValue(depth));
  }
  return map;
}

function fillSet(set: Set<unknown>, count: number, depth: number): Set<unknown> {
  if (depth > MAX_DEPTH || count > end - word) throw corrupted('a Set breaks off');
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

function fillErrorParts(error: Error, head: number, depth: number): Error {
  if (depth > MAX_DEPTH) throw corrupted('its value is too deep');
  fillError(error, head >>> 8, () => decodeValue(depth));
  return error;
}

/** The empty container that Tag.later names. */
function newContainer(head: number): object {
  const tag = head & 0xff;
  if (tag === Tag.array) return [];
  if (tag === Tag.object) return {};
  if (isFreezing) throw corrupted('it holds what cannot be frozen');
  if (tag === Tag.map) return new Map();
  if (tag === Tag.set) return new Set();
  if (tag === Tag.error) return newError(head >>> 8);
  throw corrupted('what is filled later is no container');
}

/** Fills a container with what follows, if that is of its kind. */
function fill(container: object): void {
  const head = words[take(1)];
  const tag = head & 0xff;
  if (container instanceof Map && tag === Tag.map) fillMap(container, countOf(head), 1);
  else if (container instanceof Set && tag === Tag.set) fillSet(container, countOf(head), 1);
  else if (container instanceof Error && tag === Tag.error) fillErrorParts(container, head, 1);
  else if (Array.isArray(container) && tag === Tag.array) fillArray(container, countOf(head), 1);
  else if (Array.isArray(container) && tag === Tag.sparseArray) fillSparseArray(container, countOf(head), 1);
  else if (tag === Tag.object) fillObject(container, head >>> 8, 1);
  else if (tag === Tag.dictionary) fillPairs(container, countOf(head), 1);
  else throw corrupted('what follows later is of another kind');
}

function decodeView(kind: number, depth: number): ArrayBufferView {
  // Its number comes before that of the memory it lies on.
  const number = met?.size ?? 0;
  met?.set(number, undefined);
  const [byteOffset, length, buffer] = [decodeValue(depth), decodeValue(depth), decodeValue(depth)];
  if (typeof byteOffset !== 'number' || typeof length !== 'number' || !(buffer instanceof ArrayBuffer))
    throw corrupted('a view lies on no ArrayBuffer');
  let view: ArrayBufferView;
  try {
    view = viewOf(kind, buffer, byteOffset, length === TRACKS_LENGTH ? undefined : length);
  } catch (cause) {
    throw corrupted('a view lies outside of its ArrayBuffer', cause);
  }
  met?.set(number, view);
  return view;
}

/** Bytes of their own memory, in an ArrayBuffer of this realm. */
function takeBinary(length: number): ArrayBuffer {
  const at = takeBytes(length);
  const buffer = new ArrayBuffer(length);
  new Uint8Array(buffer).set(bytes.subarray(at, at + length));
  return buffer;
}

function takeResizable(): ArrayBuffer {
  const maxByteLength = takeDouble();
  const head = words[take(1)];
  if ((head & 0xff) !== Tag.arrayBuffer) throw corrupted('a resizable buffer has no bytes');
  const length = countOf(head);
  const at = takeBytes(length);
  try {
    const buffer = new (ArrayBuffer as ResizableConstructor)(length, { maxByteLength });
    new Uint8Array(buffer).set(bytes.subarray(at, at + length));
    return buffer;
  } catch (cause) {
    throw corrupted('a resizable buffer cannot be made', cause);
  }
}

type ResizableConstructor = new (length: number, options: { maxByteLength: number }) => ArrayBuffer;

/** The bigint with these hexadecimal digits. */
export function bigintOf(digits: unknown): bigint {
  if (typeof digits !== 'string') throw corrupted('its bigint has no digits');
  const isNegative = digits.startsWith('-');
  const positive = isNegative ? digits.slice(1) : digits;
  if (!/^[0-9a-f]+$/.test(positive)) throw corrupted('its bigint has other characters than digits');
  return isNegative ? -BigInt(`0x${positive}`) : BigInt(`0x${positive}`);
}
