/** How objects become bytes and back, when the default is not what you want. Primitives, strings and binary data keep
 *  their own representation. */
export interface Codec {
  /** The value's bytes; they are copied at once. What it throws reaches the caller. */
  encode(value: unknown): Uint8Array;
  /** A new value from bytes that `encode` returned, which are its to keep. What it throws reaches the caller. In a cache of
   *  frozen values it is frozen in place, if it is made of primitives, plain objects and arrays. */
  decode(bytes: Uint8Array): unknown;
}
