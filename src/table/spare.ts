import { SHARD } from '../memory/layout.js';
import { emptySlotLocked, NO_SLOT } from './buckets.js';
import type { Draft } from './draft.js';
import { NO_CLASS, planBlocks, singleClass } from './entry.js';
import type { Shard } from './shard.js';
import { vacatePageLocked } from './vacate.js';

/** Size classes of the blocks that the entry takes. */
export function blocksOfDraft({ heap }: Shard, { payloadBytes }: Draft): Int32Array {
  const single = singleClass(heap, payloadBytes);
  return single === NO_CLASS ? planBlocks(heap, payloadBytes) : Int32Array.of(single);
}

/** Whether a new entry can be put and no other is evicted for it. Moves blocks to make room, as a put does. */
export function hasRoomLocked(shard: Shard, draft: Draft): boolean {
  if (shard.words[SHARD.entries] >= shard.capacityEntries) return false;
  if (emptySlotLocked(shard, draft.key.hash) === NO_SLOT) return false;
  const { heap } = shard;
  const single = singleClass(heap, draft.payloadBytes);
  const blocks = single === NO_CLASS ? planBlocks(heap, draft.payloadBytes) : undefined;
  // Ends: each round frees a page or returns.
  while (!(blocks === undefined ? heap.has(single) : heap.hasAll(blocks))) if (!vacatePageLocked(shard)) return false;
  return true;
}
