/** Ways to turn a value into bytes and back, each behind the same two functions. */
import v8 from 'node:v8';
import { Encoder } from 'cbor-x';
import { parse, stringify } from 'devalue';
import { Packr } from 'msgpackr';
import { fromJSON, toJSON } from 'seroval';
import { decodeCopied, ValueEncoder } from '../../src/codec/value.js';

export interface Encoded {
  readonly bytes: Buffer;
  /** For this library, whose entries keep it beside the bytes. */
  readonly kind: number;
}

export interface Rival {
  readonly name: string;
  /** Encodes and drops the result, as far as the caller of a cache would have to. */
  encode(value: unknown): void;
  encoded(value: unknown): Encoded;
  decode(encoded: Encoded): unknown;
}

function rival(name: string, encode: (value: unknown) => Buffer, decode: (bytes: Buffer) => unknown): Rival {
  return {
    name,
    encode,
    // A copy: some encoders return a part of memory they use again.
    encoded: (value) => ({ bytes: Buffer.from(encode(value)), kind: 0 }),
    decode: ({ bytes }) => decode(bytes),
  };
}

const SCRATCH_BYTES = 64 * 1024;

/** As the cache uses it: reading starts with a copy into a reused scratch, which is part of the time. */
function ours(): Rival {
  const encoder = new ValueEncoder();
  const scratch = Buffer.alloc(SCRATCH_BYTES);
  return {
    name: 'this library',
    encode: (value) => encoder.encode(value),
    encoded(value) {
      encoder.encode(value);
      const { bytes, offset, lengthBytes, kind } = encoder;
      return { bytes: Buffer.from(bytes.subarray(offset, offset + lengthBytes)), kind };
    },
    decode({ bytes, kind }) {
      const copy = bytes.length > SCRATCH_BYTES ? Buffer.allocUnsafeSlow(bytes.length) : scratch;
      bytes.copy(copy);
      return decodeCopied(kind, copy, bytes.length, undefined);
    },
  };
}

const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');

export function allRivals(): Rival[] {
  const plain = new Packr({ useRecords: false });
  const cloning = new Packr({ structuredClone: true });
  const cbor = new Encoder({ useRecords: false });
  return [
    ours(),
    rival('v8', v8.serialize, v8.deserialize),
    rival(
      'JSON',
      (value) => utf8(JSON.stringify(value)),
      (bytes) => JSON.parse(bytes.toString()),
    ),
    rival(
      'msgpackr',
      (value) => plain.pack(value),
      (bytes) => plain.unpack(bytes),
    ),
    rival(
      'msgpackr, structuredClone',
      (value) => cloning.pack(value),
      (bytes) => cloning.unpack(bytes),
    ),
    rival(
      'cbor-x',
      (value) => cbor.encode(value),
      (bytes) => cbor.decode(bytes),
    ),
    rival(
      'devalue',
      (value) => utf8(stringify(value)),
      (bytes) => parse(bytes.toString()),
    ),
    rival(
      'seroval',
      (value) => utf8(JSON.stringify(toJSON(value))),
      (bytes) => fromJSON(JSON.parse(bytes.toString())),
    ),
  ];
}
