/**
 * A rate limit over all processes of the machine: `incrementEntry` counts and tells when the window ends, in one atomic step.
 *
 *   node dist/examples/rate-limiter-processes.js [folder]
 */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SharedCache } from 'mooncake-cache';

const PROCESSES = 4;
const REQUESTS_PER_PROCESS = 500;
const LIMIT = 100;
const WINDOW_MS = 60_000;

interface Verdict {
  readonly isAllowed: boolean;
  /** Milliseconds until the client may ask again, once the limit is reached: what `Retry-After` says. */
  readonly retryAfterMs: number;
}

function ask(cache: SharedCache<number>, client: string): Verdict {
  const { value, expiresIn } = cache.incrementEntry(`requests:${client}`, 1, { ttl: WINDOW_MS });
  return { isAllowed: value <= LIMIT, retryAfterMs: value < LIMIT ? 0 : expiresIn };
}

/** What each process does: opens the cache by its path, and lets requests through or not. */
function serve(path: string): void {
  using cache = SharedCache.open<number>(path, { maxBytes: '1MB' });
  let allowed = 0;
  for (let i = 0; i < REQUESTS_PER_PROCESS; i++) {
    const { isAllowed, retryAfterMs } = ask(cache, 'alice');
    if (isAllowed) allowed++;
    else assert(retryAfterMs > 0 && retryAfterMs <= WINDOW_MS);
  }
  process.send?.(allowed);
}

async function main(path: string): Promise<void> {
  SharedCache.remove(path);
  const processes = Array.from({ length: PROCESSES }, () => fork(fileURLToPath(import.meta.url), ['--serve', path]));
  const allowed = await Promise.all(processes.map(async (child) => (await once(child, 'message'))[0] as number));
  assert.equal(
    allowed.reduce((sum, count) => sum + count, 0),
    LIMIT,
  );
  await Promise.all(processes.map(async (child) => child.exitCode ?? (await once(child, 'exit'))));
  SharedCache.remove(path);
  console.log(`${PROCESSES * REQUESTS_PER_PROCESS} requests to ${PROCESSES} processes, ${LIMIT} allowed in the window`);
}

const [first = tmpdir(), path = ''] = process.argv.slice(2);
if (first === '--serve') serve(path);
else await main(join(first, 'rate-limiter-example'));
