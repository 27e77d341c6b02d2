import type { ArenaBuffers } from './memory/arena.js';
import { attachSweep } from './sweep.js';
import { type Job, SweeperThread } from './sweeper-thread.js';
import { clearInterval, setInterval } from './sync/monotonic.js';

export interface SweeperControl {
  /** Ends the sweep of this cache; returns at once. */
  stop(): void;
}

/** Most memory of closed caches that a sweeper thread may keep from being freed, in bytes, before another replaces it. */
const MAX_HELD_BYTES = 64 * 2 ** 20;

/** The thread that sweeps all caches of this thread, while there are any. */
let current: SweeperThread | undefined;
/** The one it has replaced, until that has ended. */
let replaced: SweeperThread | undefined;
let lastId = 0;
/** Ends the sweeps that this thread does itself, by the job's id. */
const own = new Map<number, () => void>();

/**
 * Has the cache swept in the background, by a thread of its own or, where none can be started (in a bundle, without the
 * permission, without a file descriptor to spare), by this one.
 */
export function startSweeper(buffers: ArenaBuffers, intervalMs: number): SweeperControl {
  const job = { id: ++lastId, buffers, intervalMs };
  assign(job);
  return {
    stop() {
      own.get(job.id)?.();
      current?.remove(job);
      replaceThread();
    },
  };
}

function assign(job: Job): void {
  try {
    current ??= new SweeperThread(sweepHere, ended);
  } catch {
    sweepHere(job);
    return;
  }
  current.add(job);
}

/** Frees the memory of the caches that were closed: see SweeperThread.heldBytes. Two threads at most at a time. */
function replaceThread(): void {
  if (current === undefined || current.heldBytes <= MAX_HELD_BYTES || replaced !== undefined) return;
  replaced = current;
  current = undefined;
  for (const job of replaced.jobs.values()) {
    replaced.remove(job);
    assign(job);
  }
}

function ended(thread: SweeperThread): void {
  if (current === thread) current = undefined;
  if (replaced === thread) replaced = undefined;
  for (const job of thread.jobs.values()) sweepHere(job);
  replaceThread();
}

/** Sweeps the cache in this thread, whenever its event loop turns. */
function sweepHere({ id, buffers, intervalMs }: Job): void {
  const sweep = attachSweep(buffers);
  const stop = (): void => {
    clearInterval(timer);
    own.delete(id);
    sweep.close();
  };
  const timer = setInterval(() => {
    try {
      sweep.tick();
    } catch {
      // Reads treat expired entries as absent without a sweep: nothing to end the program for.
      stop();
    }
  }, intervalMs);
  timer?.unref?.();
  own.set(id, stop);
}
