/**
 * The library's own form of objects: what structuredClone keeps, but for a few rarities that V8 serializes.
 *
 *   word 0        how many words the structure has, this one included; the sign bit is set when it has references
 *   words 1..     the structure, depth first: one word a value, its tag in the low byte and 24 bits of payload above
 *   bytes after   the characters of all latin1 strings, in order, so that the reader makes one string and cuts it up
 *
 * An object is followed by its shape (the names of its keys), which both sides know after the first time: the writer by
 * the names, the reader by the words. Everything is little-endian. An object that is met again is a reference: the number of
 * the object in the order in which they begin.
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
  /** Payload: hexadecimal digits, with a sign, to take from the text. */
  bigint: 13,
  /** Two words follow: the time, a f64. */
  date: 14,
  /** Payload: how many pairs of values follow. */
  map: 15,
  /** Payload: how many values follow. */
  set: 16,
  /** Two strings follow: source and flags. */
  regexp: 17,
  /** Payload: the number of its name << 4 | which of the values follow: message, stack, cause, errors. */
  error: 18,
  /** Payload: the kind of view, see kinds.ts; a word with its bytes and those follow, padded to a word. */
  view: 19,
  /** A word with its bytes and those follow, padded to a word. */
  arrayBuffer: 20,
  /** Payload: the number of the object it is. */
  reference: 21,
  /** Payload: bytes of V8's serialization, which follow, padded to a word. */
  structured: 22,
} as const;

export const MAX_PAYLOAD = (1 << 23) - 1;
/** Levels of a value that is kept: reading it must not need more stack than any thread has. */
export const MAX_DEPTH = 500;
/** Objects with more keys are dictionaries: their shapes would seldom be seen again. */
export const MAX_SHAPE_KEYS = 32;
/** Latin1 bytes of all names of a shape, with their separators. */
export const MAX_SHAPE_BYTES = 1024;
/** Between the names of a shape; a name that holds it makes its object a dictionary. */
export const SEPARATOR = '\0';

export const HAS_REFERENCES = 1 << 31;

/** The classes of errors that structuredClone knows; any other comes back as an Error. */
export const ERROR_NAMES = [
  'Error',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
  'AggregateError',
] as const;
export const ERROR_MESSAGE = 1;
export const ERROR_STACK = 2;
export const ERROR_CAUSE = 4;
export const ERROR_ERRORS = 8;
