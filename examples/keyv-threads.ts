/**
 * A program written for Keyv, on three threads: with the cache as its store, what one thread has looked up the others have.
 *
 *   node dist/examples/keyv-threads.js
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Keyv } from 'keyv';
import { SharedCache, type SharedCacheHandle } from 'mooncake-cache';
import { keyvStore } from 'mooncake-cache/adapters/keyv';

const THREADS = 3;

interface User {
  name: string;
  loadedBy: string;
}

/** All that it knows of is a Keyv. */
async function lookUp(users: Keyv<User>, id: string, by: string): Promise<User> {
  const known = await users.get<User>(id);
  if (known !== undefined) return known;
  const user = { name: `user ${id}`, loadedBy: by };
  await users.set(id, user, 60_000);
  return user;
}

function keyvOver(cache: SharedCache): Keyv<User> {
  return new Keyv<User>({ store: keyvStore(cache), namespace: 'users' });
}

if (isMainThread) {
  using cache = new SharedCache({ maxBytes: '8MB' });
  const users = keyvOver(cache);
  await lookUp(users, '1', 'main');
  const workers = Array.from(
    { length: THREADS },
    () => new Worker(new URL(import.meta.url), { workerData: cache.handle, execArgv: [] }),
  );
  const found = await Promise.all(
    workers.map(async (worker) => {
      const [[user]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
      return user as User;
    }),
  );
  for (const user of found) assert.deepEqual(user, { name: 'user 1', loadedBy: 'main' });
  await users.clear();
  assert.equal(await users.get('1'), undefined);
  assert.equal(cache.size, 0);
  console.log(`${THREADS} threads found what ${found[0].loadedBy} had loaded`);
} else {
  const cache = SharedCache.attach(workerData as SharedCacheHandle);
  parentPort?.postMessage(await lookUp(keyvOver(cache), '1', 'a worker'));
  cache.close();
}
