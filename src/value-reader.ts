import type { Codec } from './codec/codec.js';
import { decodeCopied, decodeDirect, isDirect } from './codec/value.js';
import type { Reading } from './table/get.js';

/** Turns a validated reading into the value the caller gets. */
export class ValueReader {
  readonly #codec: Codec | undefined;

  constructor(codec: Codec | undefined) {
    this.#codec = codec;
  }

  value(reading: Reading): unknown {
    if (reading.isDirect) return reading.direct;
    const { kind, copy, lengthBytes } = reading;
    if (isDirect(kind)) return decodeDirect(kind, copy, 0, lengthBytes);
    return decodeCopied(kind, copy, lengthBytes, this.#codec);
  }
}
