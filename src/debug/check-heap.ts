import { CLASS_WORDS, CLASSES_WORD, PAGE, PAGES_WORD, SHARD } from '../memory/layout.js';
import type { Shard } from '../table/shard.js';

type Report = (message: string) => void;

/** What the index refers to. */
export interface Filled {
  slots: Set<number>;
  /** Refs of all blocks in use by entries. */
  blocks: Set<number>;
}

/** Checks the heap's bookkeeping against itself and against the blocks that entries have. */
export function inspectHeap(shard: Shard, filled: Filled, report: Report): void {
  inspectBlocks(shard, filled, report);
  inspectLists(shard, report);
}

const recordOf = (shard: Shard, page: number): number => PAGES_WORD + page * shard.memory.geometry.pageRecordWords;

function inspectBlocks(shard: Shard, filled: Filled, report: Report): void {
  const m = shard.words;
  const { classBytes } = shard.memory.geometry;
  let units = 0;
  let blocks = 0;
  for (let page = 0; page < shard.heap.usedPages; page++) {
    const record = recordOf(shard, page);
    let used = 0;
    shard.heap.forEachBlock(page, (ref) => {
      used++;
      if (!filled.blocks.has(ref)) report(`block ${ref} is in use by no entry`);
    });
    if (m[record + PAGE.class] === 0) continue;
    if (used !== m[record + PAGE.used]) {
      report(`page ${page} counts ${m[record + PAGE.used]} blocks in use, there are ${used}`);
    }
    blocks += used;
    units += used * (classBytes[m[record + PAGE.class] - 1] >> 3);
  }
  if (blocks !== filled.blocks.size) report(`${blocks} blocks in use, entries have ${filled.blocks.size}`);
  if (units !== m[SHARD.usedUnits]) report(`${m[SHARD.usedUnits]} units in use counted, ${units} found`);
}

/** The free counts and the list of pages with free blocks, per size class. */
function inspectLists(shard: Shard, report: Report): void {
  const m = shard.words;
  const { classBytes, pageShift, pageCount } = shard.memory.geometry;
  const free = new Int32Array(classBytes.length);
  const partial = new Int32Array(classBytes.length);
  for (let page = 0; page < shard.heap.usedPages; page++) {
    const sizeClass = m[recordOf(shard, page) + PAGE.class] - 1;
    if (sizeClass < 0) continue;
    if (sizeClass >= classBytes.length) {
      report(`page ${page} has size class ${sizeClass}, which does not exist`);
      continue;
    }
    const left = Math.floor(2 ** pageShift / classBytes[sizeClass]) - m[recordOf(shard, page) + PAGE.used];
    free[sizeClass] += left;
    if (left > 0) partial[sizeClass]++;
  }
  for (let c = 0; c < free.length; c++) {
    const head = CLASSES_WORD + c * CLASS_WORDS;
    if (m[head + 1] !== free[c]) report(`class ${c} counts ${m[head + 1]} free blocks, there are ${free[c]}`);
    let listed = 0;
    let prev = 0;
    for (let at = m[head]; at !== 0 && listed <= pageCount; at = m[recordOf(shard, at - 1) + PAGE.next]) {
      if (m[recordOf(shard, at - 1) + PAGE.prev] !== prev) report(`page ${at - 1} has a wrong link back`);
      prev = at;
      listed++;
    }
    if (listed !== partial[c]) report(`class ${c} lists ${listed} pages, ${partial[c]} have free blocks`);
  }
}
