/** What a server in front of an LLM does with each request: find the longest known prefix, compute the rest, remember it. */
import type { SharedCache } from 'mooncake-cache';
import type { TraceRequest } from './read.js';

/** Which thread holds a block: stands for the place of a computed KV block in a real server. */
export type BlockHome = number;

/** Counts of blocks. */
export interface Reuse {
  readonly asked: number;
  /** In the cache, wherever in the prompt. */
  readonly present: number;
  /** In an unbroken run from the start of the prompt: a block's content depends on all before it. */
  readonly prefix: number;
}

export const NO_REUSE: Reuse = { asked: 0, present: 0, prefix: 0 };

export function addReuse(a: Reuse, b: Reuse): Reuse {
  return { asked: a.asked + b.asked, present: a.present + b.present, prefix: a.prefix + b.prefix };
}

export function replayRequest(blocks: TraceRequest, cache: SharedCache<BlockHome>, home: BlockHome): Reuse {
  const prefix = cache.longestPrefix(blocks);
  const rest = blocks.slice(prefix);
  const presentLater = rest.reduce((count, block) => count + (cache.has(block) ? 1 : 0), 0);
  cache.putMany(rest.map((block) => [block, home]));
  return { asked: blocks.length, present: prefix + presentLater, prefix };
}
