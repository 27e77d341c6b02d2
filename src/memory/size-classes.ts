import { MAX_CLASSES, MIN_BLOCK_BYTES } from './layout.js';

/**
 * Size classes that divide a page well: each is the largest multiple of 8 of which k fit in a page, about 10 % apart,
 * from 32 bytes to the whole page.
 */
export function sizeClasses(pageBytes: number): number[] {
  const classes: number[] = [];
  let wanted = MIN_BLOCK_BYTES;
  while (wanted <= pageBytes) {
    const perPage = Math.floor(pageBytes / wanted);
    const bytes = Math.floor(pageBytes / perPage / 8) * 8;
    classes.push(bytes);
    wanted = bytes < 160 ? bytes + 8 : Math.max(bytes + 8, Math.ceil((bytes * 1.1) / 8) * 8);
    if (wanted > pageBytes && bytes < pageBytes) wanted = pageBytes;
  }
  if (classes.length > MAX_CLASSES) throw new RangeError(`${classes.length} size classes, ${MAX_CLASSES} allowed`);
  return classes;
}

/** What all heaps of one geometry share. */
export interface ClassTables {
  perPage: readonly number[];
  classOf: Uint8Array;
}

export function classTables(pageBytes: number, classBytes: readonly number[]): ClassTables {
  const classOf = new Uint8Array((pageBytes >> 3) + 1);
  for (let units = 0, c = 0; units < classOf.length; units++) {
    while (classBytes[c] < units * 8) c++;
    classOf[units] = c;
  }
  return { perPage: classBytes.map((bytes) => Math.floor(pageBytes / bytes)), classOf };
}
