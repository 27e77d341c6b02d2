import type { Codec } from './codec/codec.js';
import { freezePlain } from './codec/freeze.js';
import { ValueKind } from './codec/kinds.js';
import { canFreeze, decodeCopied, decodeDirect, decodeFrozen, type Encoded, isDirect } from './codec/value.js';
import type { Reading } from './table/read.js';

/** Turns a validated reading into the value the caller gets. */
export class ValueReader {
  readonly #codec: Codec | undefined;
  readonly #freezes: boolean;
  /** Whether nobody can change the value that was read last: a primitive, or frozen to the last object. If it freezes. */
  isUnchangeable = false;

  /** `freezes`: objects come back frozen, where they are made of primitives, plain objects and arrays. */
  constructor(codec: Codec | undefined, freezes: boolean) {
    this.#codec = codec;
    this.#freezes = freezes;
  }

  value(reading: Reading): unknown {
    if (reading.isDirect) {
      this.isUnchangeable = true;
      return reading.direct;
    }
    const { kind, copy, lengthBytes } = reading;
    return this.#decode(kind, copy, lengthBytes);
  }

  /** A copy of the value that was encoded last. */
  copyOf({ kind, bytes, offset, lengthBytes }: Encoded): unknown {
    const copy = Buffer.allocUnsafeSlow(lengthBytes);
    copy.set(bytes.subarray(offset, offset + lengthBytes));
    return this.#decode(kind, copy, lengthBytes);
  }

  #decode(kind: number, copy: Buffer, lengthBytes: number): unknown {
    if (isDirect(kind)) {
      this.isUnchangeable = true;
      return decodeDirect(kind, copy, 0, lengthBytes);
    }
    if (!this.#freezes) return decodeCopied(kind, copy, lengthBytes, this.#codec);
    const value = decodeFrozen(kind, copy, lengthBytes, this.#codec);
    // After the decoding, since a codec may have read others meanwhile.
    this.isUnchangeable = kind === ValueKind.custom ? freezePlain(value) : canFreeze(kind) || typeof value !== 'object';
    return value;
  }
}
