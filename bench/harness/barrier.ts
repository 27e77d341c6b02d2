/** Lets a number of threads go on together. Three words: how many it waits for, how many came, which round this is. */
const THREADS = 0;
const ARRIVED = 1;
const ROUND = 2;

export function createBarrier(threads: number): Int32Array {
  const words = new Int32Array(new SharedArrayBuffer(12));
  words[THREADS] = threads;
  return words;
}

/** Returns when all threads have called it: the last one wakes the others. */
export function awaitAll(words: Int32Array): void {
  const round = Atomics.load(words, ROUND);
  if (Atomics.add(words, ARRIVED, 1) + 1 === words[THREADS]) {
    Atomics.store(words, ARRIVED, 0);
    Atomics.add(words, ROUND, 1);
    Atomics.notify(words, ROUND);
    return;
  }
  while (Atomics.load(words, ROUND) === round) Atomics.wait(words, ROUND, round);
}
