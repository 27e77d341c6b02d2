/** Whole ns from 1 to about 20 s, most of them short: reproducible, and computed the same way by thread and test. */
export function durations(seed: number): () => number {
  let x = Math.imul(seed + 1, 0x9e3779b1) | 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    const share = (x >>> 0) / 2 ** 32;
    return Math.floor(2 ** (share * share * share * 34));
  };
}
