/**
 * A deploy that keeps its cache warm: the server dumps on SIGTERM, and the next one loads at its start.
 *
 *   node dist/examples/rolling-deploy.js
 *
 * The program plays both: it starts itself as the old server, ends it with SIGTERM, and then is the new one.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SharedCache, SharedCacheError } from 'mooncake-cache';

const PAGES = 1_000;
const OLD_SERVER = '--old-server';

/** What every server does at its start: without a usable dump it begins cold. */
async function warmCache(file: string): Promise<SharedCache<string>> {
  const cache = new SharedCache<string>({ maxBytes: '16MB', ttl: '1h' });
  try {
    const { entries, damaged } = await cache.load(file);
    if (damaged !== undefined) console.warn(`${entries} entries loaded; ${damaged}`);
  } catch (error) {
    if (!(error instanceof SharedCacheError && error.code === 'ERR_INVALID_FILE')) throw error;
  }
  return cache;
}

async function oldServer(file: string): Promise<void> {
  const cache = await warmCache(file);
  // Stands for the open sockets of a server.
  const alive = setInterval(() => {}, 1_000);
  process.once('SIGTERM', async () => {
    await cache.dump(file);
    cache.close();
    clearInterval(alive);
    process.disconnect?.();
  });
  for (let i = 0; i < PAGES; i++) cache.put(`/page/${i}`, `<h1>Page ${i}</h1>`);
  process.send?.('serving');
}

const at = process.argv.indexOf(OLD_SERVER);
if (at > 0) {
  await oldServer(process.argv[at + 1]);
} else {
  const folder = mkdtempSync(join(tmpdir(), 'rolling-deploy-'));
  const file = join(folder, 'cache.dump');
  const old = spawn(process.execPath, [process.argv[1], OLD_SERVER, file], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(old, 'message');
  old.kill('SIGTERM');
  const [code] = await once(old, 'exit');
  assert.equal(code, 0);

  using cache = await warmCache(file);
  assert.equal(cache.size, PAGES);
  assert.equal(cache.get('/page/7'), '<h1>Page 7</h1>');
  assert((cache.expiresIn('/page/7') ?? 0) <= 3_600_000);
  console.log(`the new server starts with ${cache.size} pages of the old one`);
  rmSync(folder, { recursive: true });
}
