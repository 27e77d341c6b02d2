/** HalfSipHash as its paper describes it, on bigints and with any number of rounds: slow, and sharing nothing with src. */
const MASK = 0xffffffffn;

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (32n - bits))) & MASK;
}

function round(v: bigint[]): void {
  v[0] = (v[0] + v[1]) & MASK;
  v[1] = rotate(v[1], 5n) ^ v[0];
  v[0] = rotate(v[0], 16n);
  v[2] = (v[2] + v[3]) & MASK;
  v[3] = rotate(v[3], 8n) ^ v[2];
  v[0] = (v[0] + v[3]) & MASK;
  v[3] = rotate(v[3], 7n) ^ v[0];
  v[2] = (v[2] + v[1]) & MASK;
  v[1] = rotate(v[1], 13n) ^ v[2];
  v[2] = rotate(v[2], 16n);
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** The unsigned 32-bit hash of `message` under an 8-byte key, with c rounds a word and d to finish. */
export function halfSipHash(c: number, d: number, key: Uint8Array, message: Uint8Array): bigint {
  const k0 = littleEndian(key.subarray(0, 4));
  const k1 = littleEndian(key.subarray(4, 8));
  const v = [k0, k1, 0x6c796765n ^ k0, 0x74656462n ^ k1];
  const padded = new Uint8Array((message.length & ~3) + 4);
  padded.set(message);
  padded[padded.length - 1] = message.length & 0xff;
  for (let at = 0; at < padded.length; at += 4) {
    const word = littleEndian(padded.subarray(at, at + 4));
    v[3] ^= word;
    for (let i = 0; i < c; i++) round(v);
    v[0] ^= word;
  }
  v[2] ^= 0xffn;
  for (let i = 0; i < d; i++) round(v);
  return v[1] ^ v[3];
}
