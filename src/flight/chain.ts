import { AsyncLocalStorage } from 'node:async_hooks';
import type { NotedWait } from './waits.js';

/** The loads that a call is part of, innermost first: what recursion and circles are found by. */
export interface Chain {
  /** Names the cache: the same array for all that this thread has attached of it. */
  readonly words: Int32Array;
  readonly key: string;
  readonly outer: Chain | undefined;
  /** Nobody can find out what waits for this load, so nothing in it may wait. */
  readonly alone: boolean;
  /** Of calls from inside of the loader. */
  readonly waits: NotedWait[];
  ended: boolean;
}

/** Follows a loader through everything it awaits. */
export const chains = new AsyncLocalStorage<Chain>();

export function newChain(words: Int32Array, key: string, alone: boolean): Chain {
  return { words, key, outer: chains.getStore(), alone, waits: [], ended: false };
}

/** The loader may leave calls behind that nobody awaits: they are no longer part of it. */
export function endChain(chain: Chain): void {
  chain.ended = true;
  for (const wait of chain.waits) wait.end();
}

/** The loads of this cache that the running code is part of, innermost first. */
export function* currentLoads(words: Int32Array): Generator<Chain> {
  for (let chain = chains.getStore(); chain !== undefined; chain = chain.outer) {
    if (chain.words === words && !chain.ended) yield chain;
  }
}
