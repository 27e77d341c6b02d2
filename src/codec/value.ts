import { types } from 'node:util';
import { describe, SharedCacheError } from '../errors.js';
import { isFixed, refuseDetached, viewKind, viewOf } from './binary.js';
import type { Codec } from './codec.js';
import { corrupted } from './corrupted.js';
import { ValueKind } from './kinds.js';
import { bigintOf, decodePlain } from './plain-decoder.js';
import { PlainEncoder } from './plain-encoder.js';
import { unstorable } from './unstorable.js';

const SCRATCH_BYTES = 64 * 1024;
/** Longest string encoded by a loop; above, one call of the native encoder wins. */
const LOOP_LENGTH = 24;
const utf8 = new TextEncoder();

/** A value as bytes: what they are, and where. */
export interface Encoded {
  readonly kind: number;
  readonly lengthBytes: number;
  readonly bytes: Uint8Array;
  readonly offset: number;
  /** The same bytes as words, when they lie at the start of a scratch. */
  readonly words: Int32Array | undefined;
}

/** Encodes one value at a time; what it offers is valid until the next call. */
export class ValueEncoder implements Encoded {
  kind = 0;
  lengthBytes = 0;
  bytes: Uint8Array;
  offset = 0;
  /** The same bytes as words, when they lie at the start of the scratch. */
  words: Int32Array | undefined;
  readonly #scratch = Buffer.alloc(SCRATCH_BYTES + 4);
  readonly #scratchWords = new Int32Array(this.#scratch.buffer, this.#scratch.byteOffset, (SCRATCH_BYTES >> 2) + 1);
  readonly #double = new Float64Array(this.#scratch.buffer, this.#scratch.byteOffset, 1);
  #plain = new PlainEncoder();
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

  /** What was encoded last, in memory of its own: it stays when the next value is encoded. */
  snapshot(): Encoded {
    const { kind, lengthBytes, bytes, offset } = this;
    return {
      kind,
      lengthBytes,
      bytes: new Uint8Array(bytes.subarray(offset, offset + lengthBytes)),
      offset: 0,
      words: undefined,
    };
  }

  #string(value: string): void {
    const length = value.length;
    if (length > LOOP_LENGTH) {
      if (length <= SCRATCH_BYTES) {
        this.#scratchWords[length >> 2] = 0;
        const { read, written } = utf8.encodeInto(value, this.#scratch);
        // All of it, in as many bytes as characters: ASCII, whose UTF-8 is latin1 as well.
        if (read === length && written === length) {
          this.#inScratch(ValueKind.latin1, length);
          return;
        }
      }
      this.#longString(value);
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

  /** latin1 where every character is below 256, else UTF-16. */
  #longString(value: string): void {
    const bytes = Buffer.from(value, 'latin1');
    const isAscii = Buffer.byteLength(value) === value.length;
    if (isAscii || bytes.latin1Slice(0, bytes.length) === value) this.#elsewhere(ValueKind.latin1, bytes);
    else this.#elsewhere(ValueKind.utf16, Buffer.from(value, 'utf16le'));
  }

  #object(value: object): void {
    if (ArrayBuffer.isView(value) && isFixed(value.buffer)) this.#view(value);
    else if (types.isArrayBuffer(value) && isFixed(value)) this.#arrayBuffer(value);
    else if (this.#codec !== undefined) this.#custom(this.#codec.encode(value));
    else this.#plainly(value);
  }

  #plainly(value: object): void {
    // What is being encoded has called back, with a value of its own to store.
    if (this.#plain.isBusy) this.#plain = new PlainEncoder();
    const plain = this.#plain;
    plain.encode(value);
    this.#inPlain(plain);
  }

  #arrayBuffer(buffer: ArrayBuffer): void {
    refuseDetached(buffer);
    this.#elsewhere(ValueKind.arrayBuffer, new Uint8Array(buffer));
  }

  #view(view: ArrayBufferView): void {
    refuseDetached(view);
    const kind = viewKind(view);
    if (kind === ValueKind.buffer) this.#elsewhere(kind, view as Buffer);
    else this.#elsewhere(kind, new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  }

  #custom(bytes: unknown): void {
    if (!types.isUint8Array(bytes)) throw unstorable(`codec.encode returned ${describe(bytes)}, not a Uint8Array`);
    refuseDetached(bytes.buffer);
    this.#elsewhere(ValueKind.custom, bytes);
  }

  #inPlain(plain: PlainEncoder): void {
    this.kind = plain.isPlain ? ValueKind.plain : ValueKind.rich;
    this.lengthBytes = plain.lengthBytes;
    this.bytes = plain.bytes;
    this.offset = 0;
    this.words = plain.words;
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

/** Kinds whose value takes over the memory of the copy, or may: a custom codec may return a view of its input. */
export const ownsCopy = (kind: number): boolean => kind >= ValueKind.buffer || kind === ValueKind.custom;

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

/**
 * The value in [0, lengthBytes) of `copy`, which is private and, for kinds that own it, exactly so long and starts its
 * ArrayBuffer. Throws ERR_CORRUPTED for bytes that no encoder wrote.
 */
export function decodeCopied(kind: number, copy: Buffer, lengthBytes: number, codec: Codec | undefined): unknown {
  switch (kind) {
    case ValueKind.plain:
    case ValueKind.rich:
      return decodePlain(copy, lengthBytes, false);
    case ValueKind.utf16:
      return copy.ucs2Slice(0, lengthBytes);
    case ValueKind.bigint:
      return bigintOf(copy.latin1Slice(0, lengthBytes));
    case ValueKind.custom:
      return decodeCustom(copy.subarray(0, lengthBytes), codec);
    case ValueKind.buffer:
      return copy;
    case ValueKind.arrayBuffer:
      return copy.buffer;
    default:
      return viewOf(kind, copy.buffer as ArrayBuffer, copy.byteOffset, lengthBytes);
  }
}

/** Kinds of which decodeFrozen makes a value that nobody can change, so one can be handed to all callers of a thread. */
export const canFreeze = (kind: number): boolean => kind === ValueKind.plain;

/** As decodeCopied, and frozen to the last object where `canFreeze` says so; of other kinds it is a copy as ever. */
export function decodeFrozen(kind: number, copy: Buffer, lengthBytes: number, codec: Codec | undefined): unknown {
  return canFreeze(kind) ? decodePlain(copy, lengthBytes, true) : decodeCopied(kind, copy, lengthBytes, codec);
}

function decodeCustom(bytes: Uint8Array, codec: Codec | undefined): unknown {
  if (codec === undefined) throw corrupted('it needs a codec and there is none');
  return codec.decode(bytes);
}
