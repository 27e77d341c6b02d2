/** Numbers of up to 53 bits in two words, the low one first. */

export function wideAt(m: Int32Array, at: number): number {
  return m[at + 1] * 2 ** 32 + (m[at] >>> 0);
}

export function setWide(m: Int32Array, at: number, number: number): void {
  m[at] = number | 0;
  m[at + 1] = Math.floor(number / 2 ** 32);
}
