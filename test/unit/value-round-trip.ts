import { decodeCopied, decodeDirect, isDirect, ownsCopy, type ValueEncoder } from '../../src/codec/value.js';

const SCRATCH_BYTES = 64 * 1024;
const scratch = Buffer.alloc(SCRATCH_BYTES);

/** What was encoded last, as bytes of its own. */
export function bytesOf(encoder: ValueEncoder): Buffer {
  return Buffer.from(encoder.bytes.subarray(encoder.offset, encoder.offset + encoder.lengthBytes));
}

/** Decodes a copy of what was encoded last, as a reader of a cache does, and then overwrites the reused scratch. */
export function decodeEncoded(encoder: ValueEncoder): unknown {
  const { kind, lengthBytes } = encoder;
  const copy = ownsCopy(kind) || lengthBytes > SCRATCH_BYTES ? Buffer.allocUnsafeSlow(lengthBytes) : scratch;
  bytesOf(encoder).copy(copy);
  const value = isDirect(kind)
    ? decodeDirect(kind, copy, 0, lengthBytes)
    : decodeCopied(kind, copy, lengthBytes, undefined);
  scratch.fill(0xa5);
  return value;
}

export function roundTrip(encoder: ValueEncoder, value: unknown): unknown {
  encoder.encode(value);
  return decodeEncoded(encoder);
}
