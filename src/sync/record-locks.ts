/**
 * Tells which thread records belong to living threads where the threads are of several processes: a thread takes its record
 * by a lock that ends with it, however it ends.
 */
export interface RecordLocks {
  /** Takes the record for the calling thread; false when a living thread has it. */
  tryTake(record: number): boolean;
  /** Whether a living thread has it, this one included. Takes microseconds: not for a hot path. */
  isTaken(record: number): boolean;
  /** Gives back what this thread took. */
  release(): void;
}
