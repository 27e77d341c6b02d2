/**
 * The counts-array index of an HDR histogram (Gil Tene, hdrhistogram.org) for 3 significant digits and a unit of 1 ns: the
 * same cells as hdr-histogram-js, computed without a logarithm. Values below 2,048 have a cell each; every further power
 * of two has 1,024 cells.
 */
const HALF_BITS = 10;
const HALF = 1 << HALF_BITS;
const MAX_BITS = 47;

export const SIGNIFICANT_DIGITS = 3;

/** Longest duration told apart, in ns: 2^47 - 1, about 39 hours. Longer ones count as this, and as `clamped`. */
export const MAX_NS = 2 ** MAX_BITS - 1;

/** Cells up to MAX_NS. */
export const CELLS = (MAX_BITS - HALF_BITS + 1) * HALF;

/** Cell of a whole number of ns, 0 to MAX_NS. */
export function cellOf(ns: number): number {
  if (ns < 2 * HALF) return ns;
  if (ns < 2 ** 31) {
    const bucket = 31 - HALF_BITS - Math.clz32(ns);
    return (bucket << HALF_BITS) + (ns >>> bucket);
  }
  // 32-bit operators again, on the upper bits: the lower 16 never matter above 2^31.
  const upper = Math.floor(ns / 65_536);
  const bucket = 31 - HALF_BITS - Math.clz32(upper);
  return ((bucket + 16) << HALF_BITS) + (upper >>> bucket);
}

/** Lowest number of ns in a cell. */
export function lowestOf(cell: number): number {
  if (cell < 2 * HALF) return cell;
  const bucket = (cell >> HALF_BITS) - 1;
  return (cell - (bucket << HALF_BITS)) * 2 ** bucket;
}

/** Highest number of ns in a cell. */
export const highestOf = (cell: number): number => lowestOf(cell + 1) - 1;
