import { type Distribution, drawer } from './distribution.js';
import { seededRandom } from './random.js';

/** Operations drawn in advance; each thread begins at another place and goes round. A power of two. */
const OPERATIONS = 2 ** 20;

export interface Mix {
  readonly distribution: Distribution;
  readonly keys: number;
  /** Share of writes, 0 to 1. */
  readonly writes: number;
  readonly seed: number;
}

/** Key number times two, plus one for a write; in shared memory, for all threads. */
export function drawOperations({ distribution, keys, writes, seed }: Mix): Uint32Array {
  const random = seededRandom(seed);
  const draw = drawer(distribution, keys, random);
  const operations = new Uint32Array(new SharedArrayBuffer(OPERATIONS * 4));
  for (let i = 0; i < OPERATIONS; i++) operations[i] = draw() * 2 + (random() < writes ? 1 : 0);
  return operations;
}
