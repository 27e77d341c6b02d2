/**
 * Reads plain-format.ts from private memory. Every length is checked, so any bytes end in a value or ERR_CORRUPTED.
 *
 * The cursor is the module's own, not an object's: a thread decodes one value at a time and runs no code of the user's
 * meanwhile, and reaching fields through `this` at each word cost up to a quarter more on arrays of numbers.
 */
import { corrupted } from './corrupted.js';
import { MAX_DEPTH, Tag } from './plain-format.js';
import { KnownWords } from './shapes.js';

const shapes = new KnownWords();
const doubleWords = new Int32Array(2);
const double = new Float64Array(doubleWords.buffer);
/** The memory decoded last, mostly the caller's scratch, and its words: making a view costs more than a small value. */
let memory: ArrayBufferLike | undefined;
let memoryWords: Int32Array = doubleWords;

let words: Int32Array = doubleWords;
let bytes: Buffer = Buffer.alloc(0);
let text = '';
let word = 0;
let end = 0;
let textAt = 0;

/** The value in the first `lengthBytes` of `source`. */
export function decodePlain(source: Buffer, lengthBytes: number): unknown {
  bytes = (source.byteOffset & 3) === 0 ? source : copyOf(source);
  words = wordsOf(bytes);
  end = lengthBytes < 4 ? 0 : words[0];
  if (end < 2 || end * 4 > lengthBytes) throw corrupted('its value has no structure');
  word = 1;
  textAt = 0;
  text = end * 4 === lengthBytes ? '' : bytes.latin1Slice(end * 4, lengthBytes);
  const value = decodeValue(0);
  if (word !== end || textAt !== text.length) throw corrupted('its value has bytes left over');
  return value;
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
    case Tag.text: {
      const start = textAt;
      textAt = start + (head >>> 8);
      if (textAt > text.length) throw corrupted('its text breaks off');
      return text.slice(start, textAt);
    }
    case Tag.integer:
      return head >> 8;
    case Tag.float64: {
      const at = take(2);
      doubleWords[0] = words[at];
      doubleWords[1] = words[at + 1];
      return double[0];
    }
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
      throw corrupted('its value has an unknown tag');
  }
}

/** The index of the next `count` words, which are now read. */
function take(count: number): number {
  const at = word;
  if (count > end - at) throw corrupted('its value breaks off');
  word = at + count;
  return at;
}

function decodeArray(length: number, depth: number): unknown[] {
  // Each element has a word at least, so a length that memory is set aside for is one the value has room for.
  if (depth > MAX_DEPTH || length > end - word) throw corrupted('an array breaks off');
  const array: unknown[] = new Array(length);
  for (let i = 0; i < length; i++) array[i] = decodeValue(depth);
  return array;
}

function decodeObject(shapeWords: number, depth: number): object {
  if (depth > MAX_DEPTH) throw corrupted('its value is too deep');
  const at = take(shapeWords);
  const keys = shapes.find(words, at, shapeWords);
  const object: Record<string, unknown> = {};
  for (let i = 0; i < keys.length; i++) object[keys[i]] = decodeValue(depth);
  return object;
}

function decodeDictionary(count: number, depth: number): object {
  if (depth > MAX_DEPTH) throw corrupted('its value is too deep');
  const object: Record<string, unknown> = {};
  for (let i = 0; i < count; i++) {
    const key = decodeValue(depth);
    if (typeof key !== 'string' || key === '__proto__') throw corrupted('a key is not a key');
    object[key] = decodeValue(depth);
  }
  return object;
}
