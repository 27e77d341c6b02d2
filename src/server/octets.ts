import { types } from 'node:util';

/** The octets of a stored value that is binary data, in its own memory; undefined for any other. */
export function octetsOf(value: unknown): Buffer | undefined {
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return types.isArrayBuffer(value) ? Buffer.from(value) : undefined;
}
