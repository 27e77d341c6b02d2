import { readFileSync } from 'node:fs';

/**
 * How long the calling thread has waited for a core while it could have run, in ms since it began: the second number of
 * Linux's schedstat. Read by the thread itself, since `thread-self` means whoever asks. Undefined on other systems.
 */
export function runQueueWaitMs(): number | undefined {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[1]) / 1e6;
  } catch {
    return undefined;
  }
}
