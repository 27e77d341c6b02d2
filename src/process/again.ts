import { closeSync, fstatSync, openSync, readdirSync } from 'node:fs';
import type { FileIdentity } from './path.js';

const OWN_DESCRIPTORS = '/proc/self/fd';

/**
 * Another open file description of the file, by its name or, where that is gone or another's, by a descriptor that this
 * process has of it. undefined when there is no such way.
 */
export function openAgain(path: string, identity: FileIdentity): number | undefined {
  const byName = openIfSame(path, identity);
  if (byName !== undefined) return byName;
  for (const descriptor of descriptorsOfProcess()) {
    if (!isSame(Number(descriptor), identity)) continue;
    const found = openIfSame(`${OWN_DESCRIPTORS}/${descriptor}`, identity);
    if (found !== undefined) return found;
  }
  return undefined;
}

function descriptorsOfProcess(): string[] {
  try {
    return readdirSync(OWN_DESCRIPTORS);
  } catch {
    return [];
  }
}

function openIfSame(path: string, identity: FileIdentity): number | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r+');
  } catch {
    return undefined;
  }
  if (isSame(descriptor, identity)) return descriptor;
  closeSync(descriptor);
  return undefined;
}

function isSame(descriptor: number, { dev, ino }: FileIdentity): boolean {
  try {
    const stats = fstatSync(descriptor);
    return stats.dev === dev && stats.ino === ino;
  } catch {
    return false;
  }
}
