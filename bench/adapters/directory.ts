import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { temporaryDirectory } from '../../scripts/cleanup.js';

/** A new directory, memory-backed where the system has such a place: the disk is not what is compared. */
export function memoryDirectory(prefix: string): ReturnType<typeof temporaryDirectory> {
  return temporaryDirectory(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), prefix);
}
