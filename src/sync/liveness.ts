import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Whether a thread of this process still runs, answered at once and without any event loop.
 *
 * An identity is six words in shared memory: [kind, a, b, c, d, e].
 *  - On Linux the kernel's task id and its start time: `/proc/self/task/<tid>` goes away 3 to 20 ms after terminate(),
 *    and the start time tells a reused id from the first.
 *  - Elsewhere a descriptor of a unique file, opened by the thread: Node closes a dead worker's descriptors itself, and
 *    the inode tells a reused descriptor from the first.
 * A zero third word means "whatever its start": all that is known of a thread that has given no more than its mark.
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

/** Whether the thread with the identity at `words[at]` runs. Takes microseconds: not for a hot path. */
export function isAlive(words: Int32Array, at: number): boolean {
  try {
    if (words[at] === KIND_TASK) return isTaskAlive(words, at);
    return words[at] !== KIND_DESCRIPTOR || isDescriptorOpen(words, at);
  } catch (error) {
    return !isGone(error);
  }
}

/** Kind and second word of an identity in one, > 0: what a thread says of itself where there is room for one word only. */
export const markOf = (words: Int32Array, at: number): number => 2 * words[at + 1] + words[at] - KIND_TASK;

export function isMarkAlive(mark: number): boolean {
  return isAlive(Int32Array.of(KIND_TASK + (mark & 1), mark >> 1, 0, 0, 0, 0), 0);
}

function startTime(tid: number): number {
  // The command name in field 2 may hold spaces and parentheses: count fields after the last one.
  const stat = readFileSync(`/proc/self/task/${tid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
}

const linuxTasks: Liveness = {
  register(words, at) {
    const tid = Number(readlinkSync('/proc/thread-self').split('/')[2]);
    const started = startTime(tid);
    words[at] = KIND_TASK;
    words[at + 1] = tid;
    words[at + 2] = started | 0;
    words[at + 3] = Math.floor(started / 2 ** 32);
  },
  release() {},
};

function isTaskAlive(words: Int32Array, at: number): boolean {
  const tid = words[at + 1];
  if (statSync(`/proc/self/task/${tid}`, { throwIfNoEntry: false }) === undefined) return false;
  return words[at + 2] === 0 || sameNumber(startTime(tid), words, at + 2);
}

function descriptors(): Liveness {
  let descriptor = -1;
  return {
    register(words, at) {
      const folder = mkdtempSync(join(tmpdir(), 'mooncake-'));
      descriptor = openSync(join(folder, 'alive'), 'w');
      // The name may go, the open file keeps its inode.
      rmSync(folder, { recursive: true, force: true });
      const { ino } = fstatSync(descriptor);
      words[at] = KIND_DESCRIPTOR;
      words[at + 1] = descriptor;
      words[at + 2] = ino | 0;
      words[at + 3] = Math.floor(ino / 2 ** 32);
    },
    release() {
      if (descriptor >= 0) closeSync(descriptor);
      descriptor = -1;
    },
  };
}

function isDescriptorOpen(words: Int32Array, at: number): boolean {
  const { ino } = fstatSync(words[at + 1]);
  return words[at + 2] === 0 || sameNumber(ino, words, at + 2);
}

/** Whether two words hold this number of up to 53 bits. */
function sameNumber(number: number, words: Int32Array, at: number): boolean {
  return (number | 0) === words[at] && Math.floor(number / 2 ** 32) === words[at + 1];
}

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  // ESRCH: the task went away between open and read of its stat.
  return code === 'ENOENT' || code === 'ESRCH' || code === 'EBADF';
}

/** The best way this machine offers, tried on the calling thread itself; `MOONCAKE_LIVENESS=descriptor` forces the portable one. */
export function createLiveness(): Liveness {
  if (process.platform === 'linux' && process.env.MOONCAKE_LIVENESS !== 'descriptor') {
    const probe = new Int32Array(6);
    try {
      linuxTasks.register(probe, 0);
      if (isAlive(probe, 0)) return linuxTasks;
    } catch {
      // No /proc here: the portable way serves.
    }
  }
  return descriptors();
}
