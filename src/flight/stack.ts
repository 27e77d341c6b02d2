import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout } from '../sync/monotonic.js';
import type { KeyId, NotedWait } from './waits.js';

/** One load that the running code is part of, on top of the loads around it: what recursion and circles are found by. */
export interface Frame {
  /** Names the cache: the same array for all that this thread has attached of it. */
  readonly words: Int32Array;
  /** The keyspace's id, and the key. */
  readonly space: string;
  readonly key: string;
  readonly id: KeyId;
  readonly outer: Frame | undefined;
  /** Nobody can find out what waits for this load, so nothing in it may wait. */
  readonly alone: boolean;
  /** Of calls from inside of the loader. */
  readonly waits: NotedWait[];
  ended: boolean;
}

/** Keep AsyncLocalStorage enabled this long after the last load; toggling it costs as much as a few dozen tracked awaits. */
const IDLE_MS = 100;

/** Follows an asynchronous loader through everything it awaits. */
const followed = new AsyncLocalStorage<Frame>();
/** Asynchronous loaders that have begun and not ended, in this thread. */
let running = 0;
/** Whether it was decided to look later if there are any still. */
let stopping = false;
/** The innermost load this thread computes right now. */
let computing: Frame | undefined;

/** The innermost load of any cache that the running code is part of. */
export function currentLoad(): Frame | undefined {
  return computing ?? followed.getStore();
}

/** The loads of this cache that the running code is part of, innermost first. */
export function* currentLoads(words: Int32Array): Generator<Frame> {
  for (let frame = currentLoad(); frame !== undefined; frame = frame.outer) {
    if (frame.words === words && !frame.ended) yield frame;
  }
}

/** Runs an asynchronous loader as the frame's load. */
export async function runLoader<T>(frame: Frame, loader: () => T | Promise<T>): Promise<T> {
  running++;
  try {
    return await begin(frame, loader);
  } finally {
    end(frame);
    if (--running === 0 && !stopping) {
      stopping = true;
      const timer: { unref?(): void } = setTimeout(stopFollowing, IDLE_MS);
      timer.unref?.();
    }
  }
}

/** Runs a synchronous loader as the frame's load. */
export function runCompute<T>(frame: Frame, compute: () => T): T {
  const before = computing;
  computing = frame;
  try {
    return compute();
  } finally {
    computing = before;
    end(frame);
  }
}

/** The loader's first part, up to where it first waits, runs at once: inside of what is being computed, but not part of it. */
function begin<T>(frame: Frame, loader: () => T | Promise<T>): T | Promise<T> {
  const before = computing;
  computing = undefined;
  try {
    return followed.run(frame, loader);
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
function end(frame: Frame): void {
  frame.ended = true;
  for (const wait of frame.waits) wait.end();
}
