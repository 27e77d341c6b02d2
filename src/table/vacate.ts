import { CHUNK, CHUNK_META, ENTRY, SHARD } from '../memory/layout.js';
import { NO_SLOT, slotOfHashLocked, slotOfRefLocked } from './buckets.js';
import { mostBlocks } from './chain.js';
import { isChained, wordOf } from './entry.js';
import { dueLocked } from './leave.js';
import type { Shard } from './shard.js';

/**
 * Gives a page of a class that has a page's worth of free blocks back to all classes, by moving its blocks to that class's
 * other pages. False when no class has that much to spare. Each move is one transaction; a death in between leaves a page
 * half vacated, which is a valid page.
 */
export function vacatePageLocked(shard: Shard): boolean {
  const { heap, memory, words: m } = shard;
  const page = heap.emptiestPage();
  if (page < 0) return false;
  const freePages = m[SHARD.freePageCount];
  m[SHARD.vacating] = page + 1;
  heap.forEachBlock(page, (ref) => moveBlockLocked(shard, ref));
  m[SHARD.vacating] = 0;
  memory.commit();
  return m[SHARD.freePageCount] > freePages;
}

function moveBlockLocked(shard: Shard, ref: number): void {
  const { heap, memory, words: m } = shard;
  const word = wordOf(ref);
  const referrer =
    m[word + ENTRY.meta] === CHUNK_META ? chunkReferrerLocked(shard, ref) : entryReferrerLocked(shard, ref);
  if (referrer === 0) return;
  const { sizeClass } = heap.place(ref);
  const target = heap.allocate(sizeClass);
  if (target === 0) {
    memory.rollback();
    return;
  }
  const to = wordOf(target);
  m.copyWithin(to, word, word + (heap.classBytes(sizeClass) >> 2));
  if (m[word + ENTRY.meta] !== CHUNK_META) heap.noteExpiry(target, dueLocked(shard, ref));
  memory.set(referrer, target);
  heap.free(ref);
  memory.commit();
}

function entryReferrerLocked(shard: Shard, ref: number): number {
  const slot = slotOfRefLocked(shard, ref);
  return slot === NO_SLOT ? 0 : shard.memory.refWord(slot);
}

/** The word that names this chunk: in the chunk before it, or in its entry; 0 for a chunk not yet part of an entry. */
function chunkReferrerLocked(shard: Shard, ref: number): number {
  const m = shard.words;
  const hash = m[wordOf(ref) + CHUNK.hash];
  let at = 0;
  const slot = slotOfHashLocked(shard, hash, (candidate) => {
    const entryWord = shard.entryWord(candidate);
    if (!isChained(m[entryWord + ENTRY.meta])) return false;
    at = entryWord + ENTRY.next;
    for (let left = mostBlocks(shard); left > 0 && m[at] !== ref && shard.heap.isInside(m[at]); left--) {
      at = wordOf(m[at]) + CHUNK.next;
    }
    return m[at] === ref;
  });
  return slot === NO_SLOT ? 0 : at;
}
