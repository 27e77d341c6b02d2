import type { Session } from '../session.js';

/** A value's octets, as the local cache has them. */
export interface Packed {
  readonly kind: number;
  readonly bytes: Uint8Array;
}

/** Throws ERR_INVALID_VALUE, and what a codec throws. */
export function pack(session: Session, value: unknown): Packed {
  session.value.encode(value);
  const { kind, bytes } = session.value.snapshot();
  return { kind, bytes };
}

/** A copy of the caller's own, or frozen where the local cache's values are. Throws for octets that are no value. */
export function unpack(session: Session, { kind, bytes }: Packed): unknown {
  return session.reader.copyOf({ kind, lengthBytes: bytes.length, bytes, offset: 0, words: undefined });
}
