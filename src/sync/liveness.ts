import { randomInt } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { SharedCacheError } from '../errors.js';
import { setWide, wideAt } from '../memory/wide.js';

/**
 * Whether a thread of this process still runs, answered at once and without any event loop.
 *
 * An identity is six words in shared memory, [kind, a, b, c, d, e]:
 *  - On Linux the kernel's task id (a) and its start time (b, c): `/proc/self/task/<tid>` goes away 3 to 20 ms after
 *    terminate(), and the start time tells a reused id from the first. Where /proc cannot be asked any more, a descriptor
 *    (d, plus 1) that the thread keeps open on its own entry there tells: reading it fails once the task is gone.
 *  - Elsewhere a descriptor (a) of a file without a name, opened by the thread: Node closes a dead worker's descriptors
 *    itself. Its inode (b, c) and its length (d), a random number, tell a descriptor that was given out again from the
 *    first; an inode alone comes back too.
 *  - Where a program may start no threads, the one there is lives as long as anybody asks.
 * Zero in place of a start time or an inode means that it is not known.
 * Threads of one process may use different kinds, so the kind says who is asked.
 * Only a clear "gone" counts as dead: any other answer, errors included, means alive.
 */
export interface Liveness {
  /** Writes the calling thread's identity to `words[at .. at + 5]`. */
  register(words: Int32Array, at: number): void;
  /** Gives back what `register` took. */
  release(): void;
}

const KIND_TASK = 1;
const KIND_DESCRIPTOR = 2;
const KIND_ONLY = 3;
/** Lengths of token files: sparse, so they cost nothing. */
const MOST_LENGTH = 2 ** 31 - 1;

/** Whether the thread with the identity at `words[at]` runs. Takes microseconds: not for a hot path. */
export function isAlive(words: Int32Array, at: number): boolean {
  try {
    if (words[at] === KIND_TASK) return isTaskAlive(words, at);
    return words[at] !== KIND_DESCRIPTOR || isTokenOpen(words, at);
  } catch (error) {
    return !isGone(error);
  }
}

/** Kind and second word of an identity in one, > 0: what a thread says of itself where there is room for one word only. */
export const markOf = (words: Int32Array, at: number): number => 4 * words[at + 1] + words[at];

export function isMarkAlive(mark: number): boolean {
  return isAlive(Int32Array.of(mark & 3, mark >> 2, 0, 0, 0, 0), 0);
}

// ---- Linux: tasks ----------------------------------------------------------------------------------------------

function taskAlive(): Liveness {
  let descriptor = -1;
  return {
    register(words, at) {
      const tid = Number(readlinkSync('/proc/thread-self').split('/')[2]);
      const started = tryStartTime(tid);
      descriptor = tryOpen(`/proc/self/task/${tid}/stat`);
      words[at] = KIND_TASK;
      words[at + 1] = tid;
      setWide(words, at + 2, started);
      words[at + 4] = descriptor + 1;
    },
    release() {
      if (descriptor >= 0) closeSync(descriptor);
      descriptor = -1;
    },
  };
}

function isTaskAlive(words: Int32Array, at: number): boolean {
  const tid = words[at + 1];
  if (statSync(`/proc/self/task/${tid}`, { throwIfNoEntry: false }) !== undefined) {
    return words[at + 2] === 0 || startTime(tid) === wideAt(words, at + 2);
  }
  return !isProcThere() && isEntryReadable(words, at);
}

/** Whether /proc can be asked at all: it may have been unmounted since, and then nobody is there. */
function isProcThere(): boolean {
  return statSync('/proc/self/task', { throwIfNoEntry: false }) !== undefined;
}

/** Whether the thread's own descriptor still reads its entry. Without one nothing is known, so it lives. */
function isEntryReadable(words: Int32Array, at: number): boolean {
  if (words[at + 4] === 0) return true;
  const entry = Buffer.alloc(64);
  const length = readSync(words[at + 4] - 1, entry, 0, entry.length, 0);
  return entry.latin1Slice(0, length).startsWith(`${words[at + 1]} (`);
}

function startTime(tid: number): number {
  // The command name in field 2 may hold spaces and parentheses: count fields after the last one.
  const stat = readFileSync(`/proc/self/task/${tid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
}

/** 0 where no descriptor is left to read it by. */
function tryStartTime(tid: number): number {
  try {
    return startTime(tid);
  } catch {
    return 0;
  }
}

function tryOpen(path: string): number {
  try {
    return openSync(path, 'r');
  } catch {
    return -1;
  }
}

// ---- elsewhere: tokens -----------------------------------------------------------------------------------------

function tokens(): Liveness {
  let descriptor = -1;
  return {
    register(words, at) {
      descriptor = openToken();
      ftruncateSync(descriptor, randomInt(1, MOST_LENGTH));
      const { ino, size } = fstatSync(descriptor);
      words[at] = KIND_DESCRIPTOR;
      words[at + 1] = descriptor;
      setWide(words, at + 2, ino);
      words[at + 4] = size;
    },
    release() {
      if (descriptor >= 0) closeSync(descriptor);
      descriptor = -1;
    },
  };
}

/** A file that has no name once this returns, whatever happens. */
function openToken(): number {
  let problem: unknown;
  for (const folder of [tmpdir(), '/dev/shm', process.cwd()]) {
    const path = join(folder, `mooncake-${process.pid}-${randomInt(2 ** 47)}`);
    try {
      return openSync(path, 'wx', 0o600);
    } catch (error) {
      problem ??= error;
    } finally {
      rmSync(path, { force: true });
    }
  }
  throw problem;
}

function isTokenOpen(words: Int32Array, at: number): boolean {
  const { ino, size } = fstatSync(words[at + 1]);
  if (words[at + 2] === 0 && words[at + 3] === 0) return true;
  return ino === wideAt(words, at + 2) && size === words[at + 4];
}

// ----------------------------------------------------------------------------------------------------------------

/** For a program whose permissions allow no further threads. */
const onlyThread: Liveness = {
  register(words, at) {
    words[at] = KIND_ONLY;
    words[at + 1] = 1;
  },
  release() {},
};

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  // ESRCH: the task went away between open and read of its stat.
  return code === 'ENOENT' || code === 'ESRCH' || code === 'EBADF';
}

/**
 * The best way this machine offers, tried on the calling thread itself; `MOONCAKE_LIVENESS=descriptor` forces the portable
 * one. Throws ERR_NO_LIVENESS where there is none.
 */
export function createLiveness(): Liveness {
  const ways = process.env.MOONCAKE_LIVENESS === 'descriptor' ? [tokens] : [taskAlive, tokens];
  let problem: unknown;
  for (const way of ways) {
    if (way === taskAlive && process.platform !== 'linux') continue;
    const liveness = way();
    const probe = new Int32Array(6);
    try {
      liveness.register(probe, 0);
      if (isAlive(probe, 0)) return way();
    } catch (error) {
      // Files that may not be opened, a folder that is gone: another way may serve.
      problem = error;
    } finally {
      liveness.release();
    }
  }
  if (isMainThread && mayStartNoThreads()) return onlyThread;
  throw new SharedCacheError(
    'ERR_NO_LIVENESS',
    'nothing tells which threads live: the cache must be able to read /proc/self/task (--allow-fs-read=/proc under the permission model) or to write a temporary file',
    { cause: problem },
  );
}

function mayStartNoThreads(): boolean {
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  return permission !== undefined && !permission.has('worker');
}
