import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout } from '../sync/monotonic.js';
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

/** Following goes on for so long after a load: to switch it on and off costs as much as some dozen awaits that are followed. */
const IDLE_MS = 100;

/** Follows an asynchronous loader through everything it awaits. */
const followed = new AsyncLocalStorage<Chain>();
/** Asynchronous loaders that have begun and not ended, in this thread. */
let running = 0;
/** Whether it was decided to look later if there are any still. */
let stopping = false;
/** The innermost load this thread computes right now. */
let computing: Chain | undefined;

/** The innermost load of any cache that the running code is part of. */
export function currentLoad(): Chain | undefined {
  return computing ?? followed.getStore();
}

/** The loads of this cache that the running code is part of, innermost first. */
export function* currentLoads(words: Int32Array): Generator<Chain> {
  for (let chain = currentLoad(); chain !== undefined; chain = chain.outer) {
    if (chain.words === words && !chain.ended) yield chain;
  }
}

export function newChain(words: Int32Array, key: string, outer: Chain | undefined, alone: boolean): Chain {
  return { words, key, outer, alone, waits: [], ended: false };
}

export async function runLoader<V>(chain: Chain, loader: (key: string) => V | Promise<V>): Promise<V> {
  running++;
  try {
    return await begin(chain, loader);
  } finally {
    end(chain);
    if (--running === 0 && !stopping) {
      stopping = true;
      setTimeout(stopFollowing, IDLE_MS).unref();
    }
  }
}

export function runCompute<V>(chain: Chain, compute: (key: string) => V): V {
  const before = computing;
  computing = chain;
  try {
    return compute(chain.key);
  } finally {
    computing = before;
    end(chain);
  }
}

/** The loader's first part, up to where it first waits, runs at once: inside of what is being computed, but not part of it. */
function begin<V>(chain: Chain, loader: (key: string) => V | Promise<V>): V | Promise<V> {
  const before = computing;
  computing = undefined;
  try {
    return followed.run(chain, loader, chain.key);
  } finally {
    computing = before;
  }
}

/** While anything is followed, every await of the thread takes several times as long. */
function stopFollowing(): void {
  stopping = false;
  if (running === 0) followed.disable();
}

/** The loader may leave calls behind that nobody awaits: they are no longer part of it. */
function end(chain: Chain): void {
  chain.ended = true;
  for (const wait of chain.waits) wait.end();
}
