const needsFence = process.arch !== 'x64';
const ownLine = new Int32Array(new SharedArrayBuffer(64));

/**
 * Between the plain reads of an optimistic reader and its second look at the version.
 *
 * An atomic load keeps later accesses after it, not earlier plain loads before it: on ARM the data could be read after
 * the version was. An atomic store does keep earlier loads before it, and the load that follows cannot pass it. x86 never
 * reorders loads, so there it costs nothing; elsewhere it writes a line no other thread ever touches.
 */
export const readFence: () => void = needsFence
  ? () => {
      Atomics.store(ownLine, 0, 0);
    }
  : () => {};

/**
 * Between taking a lock word and the first plain store under it.
 *
 * On ARM a plain store after a compare-and-swap may become visible before it; one after a load of the swapped word may not.
 * On x86 a locked instruction is a full fence.
 */
export const lockFence: (words: Int32Array, lock: number) => void = needsFence
  ? (words, lock) => {
      Atomics.load(words, lock);
    }
  : () => {};
