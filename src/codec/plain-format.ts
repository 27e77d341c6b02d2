/**
 * The quick form of plain trees: objects and arrays of strings, numbers, booleans, null and undefined.
 *
 *   word 0        how many words the structure has, this one included
 *   words 1..     the structure, depth first: one word a value, its tag in the low byte and 24 bits of payload above
 *   bytes after   the characters of all latin1 strings, in order, so that the reader makes one string and cuts it up
 *
 * An object is followed by its shape (the names of its keys), which both sides know after the first time: the writer by
 * the names, the reader by the words. Everything is little-endian.
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
} as const;

export const MAX_PAYLOAD = (1 << 23) - 1;
/** Deeper values are left to V8's serialization. */
export const MAX_DEPTH = 64;
/** Objects with more keys are dictionaries: their shapes would seldom be seen again. */
export const MAX_SHAPE_KEYS = 32;
/** Latin1 bytes of all names of a shape, with their separators. */
export const MAX_SHAPE_BYTES = 1024;
/** Between the names of a shape; a name that holds it makes its object a dictionary. */
export const SEPARATOR = '\0';
