/** Waiting for a load keeps no process alive; a worker that waits does not vanish before it has its value. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Lifetime } from '../fixtures/flight-lifetime.js';

const script = fileURLToPath(new URL('../fixtures/flight-lifetime.js', import.meta.url));
/** Long enough for each process to end many times over. */
const TIMEOUT_MS = 60_000;
/** For a process that is not to end: begun to wait, and then this much, ms. */
const STAYS_MS = 1_500;

/** What the process printed; `endAfterMs`: killed so long after its first word. */
function outputOf(what: Lifetime, endAfterMs?: number): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, what], { timeout: TIMEOUT_MS }, (_error, stdout) =>
      resolve(stdout),
    );
    if (endAfterMs !== undefined) child.stdout?.once('data', () => setTimeout(() => child.kill(), endAfterMs));
  });
}

t.test('a main thread that waits for the endless load of another: the process ends by itself', async (t) => {
  t.equal(await outputOf('main waits'), 'waiting\nexit\n');
});

t.test('a worker that runs keeps the process, as any worker does', async (t) => {
  t.equal(await outputOf('main waits, worker referenced', STAYS_MS), 'waiting\n');
});

t.test('a worker that only waits lives until it has the value', async (t) => {
  t.equal(await outputOf('worker waits'), 'loaded\nexit\n');
});

t.test('a worker that waits and is not referenced lets the process end', async (t) => {
  t.equal(await outputOf('worker waits, unreferenced'), 'exit\n');
});
