/** How objects become bytes and back, when the default is not what you want. Primitives, strings and binary data keep
 *  their own representation. */
export interface Codec {
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}
