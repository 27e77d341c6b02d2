import { type Random, shuffled } from './random.js';

/** zipf: exponent 0.99, popular keys spread over the key space. scan: one key after the other. */
export type Distribution = 'zipf' | 'uniform' | 'scan';

const ZIPF_EXPONENT = 0.99;

/** A function that draws the next key number below `keys`. */
export function drawer(distribution: Distribution, keys: number, random: Random): () => number {
  switch (distribution) {
    case 'zipf':
      return zipf(keys, random);
    case 'uniform':
      return () => Math.floor(random() * keys);
    case 'scan': {
      let next = Math.floor(random() * keys);
      return () => next++ % keys;
    }
  }
}

/** Exact Zipf draws in constant time by the alias method (M. D. Vose, IEEE TSE 17(9), 1991). */
function zipf(keys: number, random: Random): () => number {
  const keyOfRank = shuffled(keys, random);
  const share = Float64Array.from({ length: keys }, (_, rank) => (rank + 1) ** -ZIPF_EXPONENT);
  const total = share.reduce((sum, weight) => sum + weight, 0);
  const alias = new Uint32Array(keys);
  const small: number[] = [];
  const large: number[] = [];
  for (let rank = 0; rank < keys; rank++) {
    share[rank] *= keys / total;
    (share[rank] < 1 ? small : large).push(rank);
  }
  while (small.length > 0 && large.length > 0) {
    const poor = small.pop() as number;
    const rich = large.pop() as number;
    alias[poor] = rich;
    share[rich] -= 1 - share[poor];
    (share[rich] < 1 ? small : large).push(rich);
  }
  // What rounding left over is as good as full.
  for (const rank of [...small, ...large]) share[rank] = 1;
  return () => {
    const rank = Math.floor(random() * keys);
    return keyOfRank[random() < share[rank] ? rank : alias[rank]];
  };
}
