/**
 * The library's own form of objects: what structuredClone keeps.
 *
 *   word 0        how many words the structure has, this one included; the sign bit is set when it has references
 *   words 1..     the structure, depth first: one word a value, its tag in the low byte and 24 bits of payload above
 *   bytes after   the characters of all latin1 strings, in order, so that the reader makes one string and cuts it up
 *
 * A payload that is a count and does not fit is COUNT_FOLLOWS, and the next word is the count.
 *
 * An object is followed by its shape (the names of its keys), which both sides know after the first time: the writer by
 * the names, the reader by the words. Everything is little-endian. An object that is met again is a reference: the number of
 * the object in the order in which they begin.
 *
 * Values may be nested as deep as memory allows, but no recursion of writer or reader is deeper than MAX_DEPTH, since a thread
 * may have little stack. A container below that is only named in its place; what it holds follows after all the rest, container
 * by container in the order in which they were named.
 */
export const Tag = {
  undefined: 1,
  null: 2,
  true: 3,
  false: 4,
  /** Payload: the number itself, 24 bits signed, not -0. */
  integer: 5,
  /** Two words follow. */
  float64: 6,
  /** Payload: characters to take from the text. */
  text: 7,
  /** Payload: UTF-16 units, which follow in words. */
  wideText: 8,
  /** Payload: how many elements follow. */
  array: 9,
  /** Payload: words of the shape that follows; then the values in its order. */
  object: 10,
  /** Payload: how many pairs of a string and a value follow; for objects with many or unusual keys. */
  dictionary: 11,
  /** A missing element of an array. */
  hole: 12,
  /** A string of hexadecimal digits, with a sign, follows. */
  bigint: 13,
  /** Two words follow: the time, a f64. */
  date: 14,
  /** Payload: how many pairs of values follow. */
  map: 15,
  /** Payload: how many values follow. */
  set: 16,
  /** Two strings follow: source and flags. */
  regexp: 17,
  /** Payload: its type << ERROR_TYPE_SHIFT | which of its parts follow. */
  error: 18,
  /** Payload: the kind of view, see kinds.ts; its byte offset and byte length follow, and the value it lies on. */
  view: 19,
  /** Payload: how many bytes follow, padded to a word. */
  arrayBuffer: 20,
  /** Payload: the number of the object it is. */
  reference: 21,
  /** Payload: how many bytes of a Buffer follow, padded to a word: its own, not those of a pool behind it. */
  buffer: 22,
  /** Two words of maxByteLength follow, then an arrayBuffer with what there is now. */
  resizableBuffer: 23,
  /** Payload: latin1 characters, which follow, padded to a word. */
  longText: 24,
  /** The primitive of a Number, String, Boolean or BigInt object follows. */
  boxed: 25,
  /** Payload: how many pairs of a string and a value follow, behind the length; for arrays with names or many holes. */
  sparseArray: 26,
  /** Payload: the tag of a container that is filled later: array, object, map, set, or error with its type above. */
  later: 27,
} as const;

/** The payload of a count that is in the next word. */
export const COUNT_FOLLOWS = 0xffffff;
/** The byte length of a view that follows the length of its resizable buffer. */
export const TRACKS_LENGTH = -1;
/** Levels of a value that are written and read by recursion, which takes some 30 KB of stack. */
export const MAX_DEPTH = 64;
/** Objects with more keys are dictionaries: their shapes would seldom be seen again. */
export const MAX_SHAPE_KEYS = 32;
/** Latin1 bytes of all names of a shape, with their separators. */
export const MAX_SHAPE_BYTES = 1024;
/** Between the names of a shape; a name that holds it makes its object a dictionary. */
export const SEPARATOR = '\0';

export const HAS_REFERENCES = 1 << 31;

/** Whether an object in this value, by its bytes, is in more than one place of it. */
export function hasReferences(bytes: Uint8Array): boolean {
  return (bytes[3] & 0x80) !== 0;
}

/** Where the number of an error's type begins in the payload; below are the bits of its parts. See error-parts.ts. */
export const ERROR_TYPE_SHIFT = 5;
