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
 * A zero third word means "whatever its start": the identity of a thread that has only given its second word so far.
 * Only a clear "gone" counts as dead: any other answer, errors included, means alive.
 */
export interface Liveness {
  /** Writes the calling thread's identity to `words[at .. at + 5]`. */
  register(words: Int32Array, at: number): void;
  isAlive(words: Int32Array, at: number): boolean;
  /** Gives back what `register` took. */
  release(): void;
}

const KIND_TASK = 1;
const KIND_DESCRIPTOR = 2;

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
  isAlive(words, at) {
    const tid = words[at + 1];
    try {
      if (statSync(`/proc/self/task/${tid}`, { throwIfNoEntry: false }) === undefined) return false;
      if (words[at + 2] === 0) return true;
      const started = startTime(tid);
      return (started | 0) === words[at + 2] && Math.floor(started / 2 ** 32) === words[at + 3];
    } catch (error) {
      return !isGone(error);
    }
  },
  release() {},
};

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
    isAlive(words, at) {
      try {
        const { ino } = fstatSync(words[at + 1]);
        if (words[at + 2] === 0) return true;
        return (ino | 0) === words[at + 2] && Math.floor(ino / 2 ** 32) === words[at + 3];
      } catch (error) {
        return !isGone(error);
      }
    },
    release() {
      if (descriptor >= 0) closeSync(descriptor);
      descriptor = -1;
    },
  };
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
      if (linuxTasks.isAlive(probe, 0)) return linuxTasks;
    } catch {
      // No /proc here: the portable way serves.
    }
  }
  return descriptors();
}
