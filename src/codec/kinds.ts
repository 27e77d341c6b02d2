/** What an entry's value bytes are; stored in the entry's head, never renumbered. */
export const ValueKind = {
  null: 1,
  true: 2,
  false: 3,
  float64: 4,
  latin1: 5,
  utf16: 6,
  bigint: 7,
  /** V8's serialization: whatever structuredClone keeps. */
  structured: 8,
  custom: 9,
  /** The quick form of plain objects and arrays, see plain-format.ts. */
  plain: 10,
  buffer: 16,
  arrayBuffer: 17,
  dataView: 18,
  /** The typed arrays follow, in the order of TYPED_ARRAYS. */
  typedArray: 19,
} as const;
