import { deserialize, serialize } from 'node:v8';
import { describe, SharedCacheError } from '../errors.js';
import type { Codec } from './codec.js';
import { ValueKind } from './kinds.js';

const SCRATCH_BYTES = 64 * 1024;
/** Longest string encoded by a loop; above, a native check and copy win. */
const LOOP_LENGTH = 256;
const TYPED_ARRAYS = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigUint64Array,
  BigInt64Array,
] as const;

/** Encodes one value at a time; what it offers is valid until the next call. */
export class ValueEncoder {
  kind = 0;
  lengthBytes = 0;
  bytes: Uint8Array;
  offset = 0;
  /** The same bytes as words, when they lie at the start of the scratch. */
  words: Int32Array | undefined;
  readonly #scratch = Buffer.alloc(SCRATCH_BYTES);
  readonly #scratchWords = new Int32Array(this.#scratch.buffer, this.#scratch.byteOffset, SCRATCH_BYTES >> 2);
  readonly #double = new Float64Array(this.#scratch.buffer, this.#scratch.byteOffset, 1);
  readonly #codec: Codec | undefined;

  constructor(codec?: Codec) {
    this.#codec = codec;
    this.bytes = this.#scratch;
  }

  encode(value: unknown): void {
    if (typeof value === 'string') {
      this.#string(value);
    } else if (typeof value === 'number') {
      this.#double[0] = value;
      this.#inScratch(ValueKind.float64, 8);
    } else if (value === null || typeof value === 'boolean') {
      this.#inScratch(value === null ? ValueKind.null : value ? ValueKind.true : ValueKind.false, 0);
    } else if (typeof value === 'object') {
      this.#object(value);
    } else if (typeof value === 'bigint') {
      this.#elsewhere(ValueKind.bigint, Buffer.from(value.toString(16), 'latin1'));
    } else {
      throw new SharedCacheError(
        'ERR_INVALID_VALUE',
        `undefined, functions and symbols cannot be stored, received ${describe(value)}`,
      );
    }
  }

  #string(value: string): void {
    const length = value.length;
    if (length > LOOP_LENGTH) {
      const ascii = Buffer.byteLength(value, 'utf8') === length;
      this.#elsewhere(ascii ? ValueKind.latin1 : ValueKind.utf16, Buffer.from(value, ascii ? 'latin1' : 'utf16le'));
      return;
    }
    const words = this.#scratchWords;
    const whole = length & ~3;
    let seen = 0;
    let i = 0;
    for (; i < whole; i += 4) {
      const a = value.charCodeAt(i);
      const b = value.charCodeAt(i + 1);
      const c = value.charCodeAt(i + 2);
      const d = value.charCodeAt(i + 3);
      seen |= a | b | c | d;
      words[i >> 2] = a | (b << 8) | (c << 16) | (d << 24);
    }
    let last = 0;
    for (let shift = 0; i < length; i++, shift += 8) {
      const c = value.charCodeAt(i);
      seen |= c;
      last |= c << shift;
    }
    words[whole >> 2] = last;
    if (seen < 256) this.#inScratch(ValueKind.latin1, length);
    else this.#elsewhere(ValueKind.utf16, Buffer.from(value, 'utf16le'));
  }

  #object(value: object): void {
    if (Buffer.isBuffer(value)) this.#elsewhere(ValueKind.buffer, value);
    else if (value instanceof ArrayBuffer) this.#elsewhere(ValueKind.arrayBuffer, new Uint8Array(value));
    else if (ArrayBuffer.isView(value)) this.#view(value);
    else this.#structured(value);
  }

  #view(value: ArrayBufferView): void {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    const index = TYPED_ARRAYS.findIndex((type) => value instanceof type);
    this.#elsewhere(index < 0 ? ValueKind.dataView : ValueKind.typedArray + index, bytes);
  }

  #structured(value: object): void {
    if (this.#codec !== undefined) {
      this.#elsewhere(ValueKind.custom, this.#codec.encode(value));
      return;
    }
    try {
      this.#elsewhere(ValueKind.structured, serialize(value));
    } catch (cause) {
      throw new SharedCacheError('ERR_INVALID_VALUE', `the value cannot be cloned: ${String(cause)}`, { cause });
    }
  }

  #inScratch(kind: number, lengthBytes: number): void {
    this.kind = kind;
    this.lengthBytes = lengthBytes;
    this.bytes = this.#scratch;
    this.offset = 0;
    this.words = this.#scratchWords;
  }

  #elsewhere(kind: number, bytes: Uint8Array): void {
    this.kind = kind;
    this.lengthBytes = bytes.byteLength;
    this.bytes = bytes;
    this.offset = 0;
    this.words = undefined;
  }
}

/** Kinds that may be decoded from memory that is being rewritten: any bytes are a value of them. */
export const isDirect = (kind: number): boolean => kind <= ValueKind.latin1;

/** Kinds whose value takes over the memory of the copy. */
export const ownsCopy = (kind: number): boolean => kind >= ValueKind.buffer;

export function decodeDirect(kind: number, bytes: Buffer, offset: number, lengthBytes: number): unknown {
  switch (kind) {
    case ValueKind.latin1:
      return bytes.latin1Slice(offset, offset + lengthBytes);
    case ValueKind.float64:
      return lengthBytes === 8 ? bytes.readDoubleLE(offset) : Number.NaN;
    case ValueKind.null:
      return null;
    default:
      return kind === ValueKind.true;
  }
}

export function decodeCopied(kind: number, copy: Buffer, lengthBytes: number, codec: Codec | undefined): unknown {
  const bytes = copy.length === lengthBytes ? copy : copy.subarray(0, lengthBytes);
  switch (kind) {
    case ValueKind.utf16:
      return bytes.ucs2Slice(0, lengthBytes);
    case ValueKind.bigint: {
      const text = bytes.latin1Slice(0, lengthBytes);
      return text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);
    }
    case ValueKind.structured:
      return deserialize(bytes);
    case ValueKind.custom:
      return codec?.decode(bytes);
    case ValueKind.buffer:
      return copy;
    case ValueKind.arrayBuffer:
      return copy.buffer;
    case ValueKind.dataView:
      return new DataView(copy.buffer, copy.byteOffset, lengthBytes);
    default: {
      const TypedArray = TYPED_ARRAYS[kind - ValueKind.typedArray];
      if (TypedArray === undefined)
        throw new SharedCacheError('ERR_CORRUPTED', `an entry has the unknown value kind ${kind}`);
      return new TypedArray(copy.buffer as ArrayBuffer, copy.byteOffset, lengthBytes / TypedArray.BYTES_PER_ELEMENT);
    }
  }
}
