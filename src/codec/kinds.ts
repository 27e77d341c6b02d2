/** What an entry's value bytes are; stored in the entry's head, never renumbered. */
export const ValueKind = {
  null: 1,
  true: 2,
  false: 3,
  float64: 4,
  latin1: 5,
  utf16: 6,
  bigint: 7,
  // 8 was V8's serialization.
  custom: 9,
  /** plain-format.ts, holding primitives, plain objects and arrays only: what can be frozen to the last value. */
  plain: 10,
  /** plain-format.ts, holding something else as well: a Date, a Map, an error, binary data. */
  rich: 11,
  buffer: 16,
  arrayBuffer: 17,
  dataView: 18,
  /** The typed arrays follow, in the order of TYPED_ARRAYS. */
  typedArray: 19,
} as const;
