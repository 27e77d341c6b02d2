/**
 * HalfSipHash-1-3 (Aumasson and Bernstein's SipHash on 32-bit words): one round a word, three to finish, a 64-bit key.
 *
 * `words` holds the message little-endian, its last word padded with zeros. Returns the signed 32-bit hash. The rounds are
 * written out because a function per round would need four results.
 */
export function halfSipHash13(words: Int32Array, lengthBytes: number, key0: number, key1: number): number {
  let v0 = key0;
  let v1 = key1;
  let v2 = 0x6c796765 ^ key0;
  let v3 = 0x74656462 ^ key1;
  const whole = lengthBytes >> 2;
  // The last block carries the length in its top byte, so `whole` + 1 blocks; then the finish.
  const rounds = whole + 4;
  for (let i = 0; i < rounds; i++) {
    let word = 0;
    if (i < whole) word = words[i];
    else if (i === whole) word = ((lengthBytes & 3) === 0 ? 0 : words[i]) | (lengthBytes << 24);
    else if (i === whole + 1) v2 ^= 0xff;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return v1 ^ v3;
}
