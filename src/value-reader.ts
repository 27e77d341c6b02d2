import type { Codec } from './codec/codec.js';
import { decodeCopied, decodeDirect, type Encoded, isDirect } from './codec/value.js';
import type { Reading } from './table/read.js';

/** Turns a validated reading into the value the caller gets. */
export class ValueReader {
  readonly #codec: Codec | undefined;

  constructor(codec: Codec | undefined) {
    this.#codec = codec;
  }

  value(reading: Reading): unknown {
    if (reading.isDirect) return reading.direct;
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
    if (isDirect(kind)) return decodeDirect(kind, copy, 0, lengthBytes);
    return decodeCopied(kind, copy, lengthBytes, this.#codec);
  }
}
