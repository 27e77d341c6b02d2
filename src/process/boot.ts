import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What tells this run of the machine from all others; empty where the system does not say. */
export function bootId(): string {
  try {
    if (process.platform === 'linux') return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'latin1' }).trim();
  } catch {
    return '';
  }
}
