import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const PATIENCE_MS = 6_000;

/** A ring that a thread writes, and what its records are to the test. */
export interface WrittenRing<T> {
  /** The writer, which ends when the first word of `workerData.stop` is not 0 any more. */
  readonly writer: URL;
  readonly workerData: object;
  read(): T[];
  /** Whether the record is mixed of two. */
  isTorn(record: T): boolean;
}

/** Reads the writer's ring over and over, until it is enough; how many records there were, and how many of them were torn. */
export async function readWhileWritten<T>(
  { writer, workerData, read, isTorn }: WrittenRing<T>,
  enough: (torn: number, seen: number) => boolean,
): Promise<{ seen: number; torn: number }> {
  const stop = new SharedArrayBuffer(4);
  const worker = new Worker(writer, { workerData: { ...workerData, stop }, execArgv: [] });
  let seen = 0;
  let torn = 0;
  const end = performance.now() + PATIENCE_MS;
  while (performance.now() < end && !enough(torn, seen)) {
    for (const record of read()) {
      seen++;
      if (isTorn(record)) torn++;
    }
  }
  Atomics.store(new Int32Array(stop), 0, 1);
  await once(worker, 'exit');
  return { seen, torn };
}
