import { SharedCacheError } from '../errors.js';
import {
  CLASS_WORDS,
  CLASSES_WORD,
  EXPIRY_EPOCH_MS,
  MIN_BLOCK_BYTES,
  PAGE,
  PAGES_WORD,
  REF_SHIFT,
  SHARD,
} from './layout.js';
import type { ShardMemory } from './shard-memory.js';
import type { ClassTables } from './size-classes.js';

const MIN_BLOCK_WORDS = MIN_BLOCK_BYTES >> 2;

/** Where a block lies: its page's record, its number in the page, its size class. */
export interface BlockPlace {
  pageNumber: number;
  block: number;
  sizeClass: number;
}

/**
 * The allocator of one shard: pages divided into blocks of one size class, all bookkeeping outside the blocks.
 *
 * - A block's bytes are never written by the allocator, so an entry's bytes need no journal: they go to a block that
 *   nothing refers to, and a free leaves the old bytes for the undo to come back to.
 * - A page of a class with free blocks is in that class's list; an emptied page goes back to all classes.
 * - An entry that fits no class well is a chain of blocks, so any free page is of use to any entry, and what a class
 *   can waste is bounded: when a class has a page's worth of free blocks, `emptiestPage` names the page to vacate.
 *
 * All methods need the shard's lock, and everything they write is journaled.
 */
export class Heap {
  readonly #memory: ShardMemory;
  readonly #heapByte: number;
  readonly #pageShift: number;
  readonly #pageCount: number;
  readonly #recordWords: number;
  readonly #classBytes: readonly number[];
  readonly #perPage: readonly number[];
  /** Class of each size in units of 8 bytes, the smallest that fits. */
  readonly #classOf: Uint8Array;

  constructor(memory: ShardMemory, tables: ClassTables) {
    const g = memory.geometry;
    this.#memory = memory;
    this.#heapByte = g.heapByte;
    this.#pageShift = g.pageShift;
    this.#pageCount = g.pageCount;
    this.#recordWords = g.pageRecordWords;
    this.#classBytes = g.classBytes;
    this.#perPage = tables.perPage;
    this.#classOf = tables.classOf;
  }

  get pageBytes(): number {
    return 1 << this.#pageShift;
  }

  classFor(bytes: number): number {
    return this.#classOf[(bytes + 7) >> 3];
  }

  classBytes(sizeClass: number): number {
    return this.#classBytes[sizeClass];
  }

  /** Ref of a free block of the class, now taken; 0 when the class has none and no page is free. */
  allocate(sizeClass: number): number {
    const memory = this.#memory;
    const m = memory.words;
    const head = CLASSES_WORD + sizeClass * CLASS_WORDS;
    if (m[head] === 0 && !this.#addPage(sizeClass)) return 0;
    let page = m[head] - 1;
    // A page being vacated is filled last; it stays in the list, so that a death in between leaves nothing to mend.
    if (page + 1 === m[SHARD.vacating] && m[this.#record(page) + PAGE.next] !== 0) {
      page = m[this.#record(page) + PAGE.next] - 1;
    }
    const record = this.#record(page);
    // Another class's page in this list would give out parts of blocks that are in use.
    if (!(page >= 0 && page < this.#pageCount) || m[record + PAGE.class] !== sizeClass + 1) this.#noPage(page);
    const used = m[record + PAGE.used] + 1;
    const perPage = this.#perPage[sizeClass];
    const block = this.#firstFree(record, perPage);
    if (block < 0) return 0;
    memory.set(record + PAGE.bitmap + (block >> 5), m[record + PAGE.bitmap + (block >> 5)] | (1 << (block & 31)));
    memory.set(record + PAGE.used, used);
    memory.add(head + 1, -1);
    memory.add(SHARD.usedUnits, this.#classBytes[sizeClass] >> 3);
    if (used >= perPage) this.#unlink(head, page);
    return (this.#heapByte + (page << this.#pageShift) + block * this.#classBytes[sizeClass]) >> REF_SHIFT;
  }

  free(ref: number): void {
    const memory = this.#memory;
    const m = memory.words;
    const { pageNumber, block, sizeClass } = this.place(ref);
    const record = this.#record(pageNumber);
    const bitmapWord = record + PAGE.bitmap + (block >> 5);
    const head = CLASSES_WORD + sizeClass * CLASS_WORDS;
    const perPage = this.#perPage[sizeClass];
    const used = m[record + PAGE.used];
    memory.set(bitmapWord, m[bitmapWord] & ~(1 << (block & 31)));
    memory.set(record + PAGE.used, used - 1);
    memory.add(head + 1, 1);
    memory.add(SHARD.usedUnits, -(this.#classBytes[sizeClass] >> 3));
    if (used === perPage) this.#link(head, pageNumber);
    if (used === 1) this.#releasePage(head, pageNumber, perPage);
  }

  /** To be called before an entry with this expiry becomes visible in the block, so that no sweep skips its page. */
  noteExpiry(ref: number, expiresAt: number): void {
    if (expiresAt === Number.POSITIVE_INFINITY) return;
    const m = this.#memory.words;
    const word = this.#record(((ref << REF_SHIFT) - this.#heapByte) >> this.#pageShift) + PAGE.earliest;
    const seconds = expirySeconds(expiresAt);
    if (m[word] === 0 || seconds < m[word]) m[word] = seconds;
  }

  /** Whether an entry of the page may have expired. */
  mayHaveExpired(page: number, now: number): boolean {
    const earliest = this.#memory.words[this.#record(page) + PAGE.earliest];
    return earliest !== 0 && earliest <= expirySeconds(now);
  }

  /** The page's earliest expiry as a scan under the lock found it; one store, so that no time too late is ever there. */
  setExpiry(page: number, expiresAt: number): void {
    this.#memory.words[this.#record(page) + PAGE.earliest] =
      expiresAt === Number.POSITIVE_INFINITY ? 0 : expirySeconds(expiresAt);
  }

  /** Whether `allocate(sizeClass)` would succeed. */
  has(sizeClass: number): boolean {
    const m = this.#memory.words;
    return (
      m[CLASSES_WORD + sizeClass * CLASS_WORDS] !== 0 ||
      m[SHARD.freePages] !== 0 ||
      m[SHARD.freshPages] < this.#pageCount
    );
  }

  /** Whether blocks of all these classes can be allocated, one after the other. */
  hasAll(sizeClasses: Int32Array): boolean {
    const m = this.#memory.words;
    const spare = this.#classBytes.map((_, c) => m[CLASSES_WORD + c * CLASS_WORDS + 1]);
    let pages = m[SHARD.freePageCount] + this.#pageCount - this.usedPages;
    for (const sizeClass of sizeClasses) {
      if (spare[sizeClass] === 0) {
        if (pages-- === 0) return false;
        spare[sizeClass] = this.#perPage[sizeClass];
      }
      spare[sizeClass]--;
    }
    return true;
  }

  /** Blocks in use of each class. */
  blocksInUse(): Float64Array {
    const m = this.#memory.words;
    const blocks = new Float64Array(this.#classBytes.length);
    for (let page = 0; page < this.usedPages; page++) {
      const record = this.#record(page);
      const sizeClass = m[record + PAGE.class] - 1;
      if (sizeClass >= 0 && sizeClass < blocks.length) blocks[sizeClass] += m[record + PAGE.used];
    }
    return blocks;
  }

  /** Pages that so many blocks of each class take, once `emptiestPage` finds none to vacate. */
  pagesFor(blocks: Float64Array): number {
    return blocks.reduce((pages, count, sizeClass) => pages + Math.ceil(count / this.#perPage[sizeClass]), 0);
  }

  /** The page with the fewest blocks in use of some class that could hold these in its other pages; -1 when none. */
  emptiestPage(): number {
    const m = this.#memory.words;
    for (let c = 0; c < this.#classBytes.length; c++) {
      if (m[CLASSES_WORD + c * CLASS_WORDS + 1] < this.#perPage[c]) continue;
      let best = -1;
      for (let page = 0; page < this.usedPages; page++) {
        const record = this.#record(page);
        if (m[record + PAGE.class] !== c + 1) continue;
        if (best < 0 || m[record + PAGE.used] < m[this.#record(best) + PAGE.used]) best = page;
      }
      if (best >= 0) return best;
    }
    return -1;
  }

  place(ref: number): BlockPlace {
    const offset = (ref << REF_SHIFT) - this.#heapByte;
    const pageNumber = offset >> this.#pageShift;
    const sizeClass = this.#memory.words[this.#record(pageNumber) + PAGE.class] - 1;
    if (!(sizeClass >= 0 && sizeClass < this.#classBytes.length)) {
      throw new SharedCacheError(
        'ERR_CORRUPTED',
        `ref ${ref} names no block: page ${pageNumber} has size class ${sizeClass}`,
      );
    }
    const block = ((offset & (this.pageBytes - 1)) / this.#classBytes[sizeClass]) | 0;
    return { pageNumber, block, sizeClass };
  }

  /** Calls `visit` with the ref of each block in use of the page, in address order. Bounded, whatever the page says. */
  forEachBlock(page: number, visit: (ref: number) => void): void {
    const m = this.#memory.words;
    const record = this.#record(page);
    const sizeClass = m[record + PAGE.class] - 1;
    if (sizeClass < 0 || sizeClass >= this.#classBytes.length) return;
    const bytes = this.#classBytes[sizeClass];
    const base = this.#heapByte + (page << this.#pageShift);
    for (let block = 0; block < this.#perPage[sizeClass]; block++) {
      if ((m[record + PAGE.bitmap + (block >> 5)] >>> (block & 31)) & 1) visit((base + block * bytes) >> REF_SHIFT);
    }
  }

  /** Whether the ref names the first byte of a block in use. */
  isBlock(ref: number): boolean {
    const offset = ref * 8 - this.#heapByte;
    if (!(offset >= 0 && offset < this.#pageCount * this.pageBytes)) return false;
    const record = this.#record(offset >> this.#pageShift);
    const sizeClass = this.#memory.words[record + PAGE.class] - 1;
    if (!(sizeClass >= 0 && sizeClass < this.#classBytes.length)) return false;
    const block = (offset & (this.pageBytes - 1)) / this.#classBytes[sizeClass];
    if (!Number.isInteger(block) || block >= this.#perPage[sizeClass]) return false;
    return ((this.#memory.words[record + PAGE.bitmap + (block >> 5)] >>> (block & 31)) & 1) === 1;
  }

  /** Whether the ref leaves room for the smallest block before the end of the shard: the bound every racy read checks. */
  isInside(ref: number): boolean {
    return ref << REF_SHIFT >= this.#heapByte && (ref << 1) + MIN_BLOCK_WORDS <= this.#memory.words.length;
  }

  get usedPages(): number {
    return Math.min(this.#memory.words[SHARD.freshPages], this.#pageCount);
  }

  /** Zeroes all bookkeeping; only inside a clear, which starts again when its thread dies. */
  reset(): void {
    const m = this.#memory.words;
    m.fill(0, CLASSES_WORD, PAGES_WORD + this.#pageCount * this.#recordWords);
    m[SHARD.freshPages] = 0;
    m[SHARD.freePages] = 0;
    m[SHARD.freePageCount] = 0;
    m[SHARD.usedUnits] = 0;
  }

  #record(page: number): number {
    return PAGES_WORD + page * this.#recordWords;
  }

  #firstFree(record: number, perPage: number): number {
    const m = this.#memory.words;
    for (let i = 0; i << 5 < perPage; i++) {
      const free = ~m[record + PAGE.bitmap + i];
      if (free === 0) continue;
      const block = (i << 5) + (31 - Math.clz32(free & -free));
      return block < perPage ? block : -1;
    }
    return -1;
  }

  #addPage(sizeClass: number): boolean {
    const memory = this.#memory;
    const m = memory.words;
    const head = CLASSES_WORD + sizeClass * CLASS_WORDS;
    let page: number;
    if (m[SHARD.freePages] !== 0) {
      page = m[SHARD.freePages] - 1;
      memory.set(SHARD.freePages, m[this.#record(page) + PAGE.next]);
      memory.add(SHARD.freePageCount, -1);
    } else if (m[SHARD.freshPages] < this.#pageCount) {
      page = m[SHARD.freshPages];
      memory.set(SHARD.freshPages, page + 1);
    } else {
      return false;
    }
    // A page in use among the free ones would be given out twice.
    if (!(page >= 0 && page < this.#pageCount) || m[this.#record(page) + PAGE.class] !== 0) this.#noPage(page);
    memory.set(this.#record(page) + PAGE.class, sizeClass + 1);
    m[this.#record(page) + PAGE.earliest] = 0;
    memory.add(head + 1, this.#perPage[sizeClass]);
    this.#link(head, page);
    return true;
  }

  #noPage(page: number): never {
    throw new SharedCacheError(
      'ERR_CORRUPTED',
      `shard ${this.#memory.index}: page ${page} is listed where it cannot be`,
    );
  }

  #releasePage(head: number, page: number, perPage: number): void {
    const memory = this.#memory;
    const record = this.#record(page);
    this.#unlink(head, page);
    memory.add(head + 1, -perPage);
    memory.set(record + PAGE.class, 0);
    memory.set(record + PAGE.next, memory.words[SHARD.freePages]);
    memory.set(SHARD.freePages, page + 1);
    memory.add(SHARD.freePageCount, 1);
  }

  #link(head: number, page: number): void {
    const memory = this.#memory;
    const record = this.#record(page);
    const next = memory.words[head];
    memory.set(record + PAGE.next, next);
    memory.set(record + PAGE.prev, 0);
    if (next !== 0) memory.set(this.#record(next - 1) + PAGE.prev, page + 1);
    memory.set(head, page + 1);
  }

  #unlink(head: number, page: number): void {
    const memory = this.#memory;
    const m = memory.words;
    const next = m[this.#record(page) + PAGE.next];
    const prev = m[this.#record(page) + PAGE.prev];
    if (prev !== 0) memory.set(this.#record(prev - 1) + PAGE.next, next);
    else memory.set(head, next);
    if (next !== 0) memory.set(this.#record(next - 1) + PAGE.prev, prev);
  }
}

/** Rounded down, so that a page is scanned rather too early than too late. */
const expirySeconds = (ms: number): number =>
  Math.min(0x7fffffff, Math.max(1, Math.floor((ms - EXPIRY_EPOCH_MS) / 1000)));
