/**
 * Writes and reads of one key by two processes that share a cache, while what one of them asks is held up on its way to the
 * server: every write is carried out, and what it overwrote is not kept near, also when its process is killed.
 */
import { once } from 'node:events';
import t, { type Test } from 'tap';
import type { SharedCache } from '../../src/index.js';
import type { TieredCache } from '../../src/tier/index.js';
import { join, NO_SERVER, startFor, until, urlOf } from '../fixtures/fleet.js';
import { type MemberProcess, type Modules, OWN_MODULES, startMember } from '../fixtures/fleet-process.js';
import { type Bug, engineFor } from '../fixtures/instrument.js';
import { folderFor } from '../fixtures/process/folder.js';
import { startProxy, type TcpProxy } from '../fixtures/proxy.js';

t.setTimeout(120_000);

interface Scene {
  /** In this process. */
  cache: TieredCache<number>;
  /** On the same cache, in another process, behind the proxy. */
  neighbour: MemberProcess;
  proxy: TcpProxy;
  /** On another machine, so to say. */
  remote: TieredCache<number>;
}

/** All know the key, whose value is 1. */
async function setScene(t: Test, bug?: Bug): Promise<Scene> {
  const { entry, tier }: Modules = bug === undefined ? OWN_MODULES : engineFor(t, bug);
  const { SharedCache: Cache } = (await import(entry)) as { SharedCache: typeof SharedCache };
  const { TieredCache: Tiered } = (await import(tier)) as { TieredCache: typeof TieredCache };
  const server = await startFor(t);
  const proxy = await startProxy(server);
  t.teardown(() => proxy.stop());
  const path = `${folderFor(t)}/cache`;
  const local = Cache.open(path, { maxBytes: '8MB' });
  const cache = await Tiered.open<number>({
    local,
    remote: { url: urlOf(server) },
    prefix: 'app:',
    timeouts: { remoteMs: 10_000 },
  });
  t.teardown(async () => {
    await cache.close();
    local.close();
  });
  await until(() => cache.status === 'up');
  const neighbour = await startMember(t, { entry, tier, url: urlOf(proxy), path });
  const remote = await join<number>(t, { url: urlOf(server) });
  await remote.put('k', 1);
  await neighbour.tell({ do: 'get', key: 'k' });
  await until(async () => (await cache.get('k')) === 1 && cache.local.get('k') === 1);
  return { cache, neighbour, proxy, remote };
}

t.test('a put while this thread waits for another that reads the key', { skip: NO_SERVER }, async (t) => {
  const { cache, neighbour, proxy, remote } = await setScene(t);
  cache.local.delete('k');
  proxy.isHolding = true;
  const theirs = neighbour.tell({ do: 'get', key: 'k' });
  await until(() => proxy.held().includes('app:k'));
  const mine = cache.get('k');
  t.equal(await cache.put('k', 2), true);
  remote.local.delete('k');
  t.equal(await remote.get('k'), 2, 'it is at the server');
  // Both were the value while it was asked for.
  t.ok([1, 2].includes((await mine) as number));
  proxy.release();
  await theirs;
  t.equal(await cache.get('k'), 2);
  t.equal(await neighbour.tell({ do: 'get', key: 'k' }), 2);
});

/** What is read after a write's process was killed, while the write is on its way, and whether it is near for ever. */
async function killWriter(t: Test, bug?: Bug): Promise<{ stays: boolean }> {
  const { cache, neighbour, proxy, remote } = await setScene(t, bug);
  proxy.isHolding = true;
  void neighbour.tell({ do: 'put', key: 'k', value: 2 });
  await until(() => proxy.held().includes('EVALSHA'), 'the write is on its way');
  neighbour.child.kill('SIGKILL');
  await once(neighbour.child, 'exit');
  await until(async () => (await cache.get('k')) === 1 && cache.local.get('k') === 1, 'the old value is near');
  const before = cache.getStats().remote.invalidations;
  proxy.release();
  await until(async () => {
    remote.local.delete('k');
    return (await remote.get('k')) === 2;
  }, 'the write arrives');
  await until(() => cache.getStats().remote.invalidations > before, 'news of it');
  const ended = until(() => cache.local.get('k') !== 1, 'its end', 1_000);
  return ended.then(
    () => ({ stays: false }),
    () => ({ stays: true }),
  );
}

t.test('a writer that is killed while its write is on its way', { skip: NO_SERVER }, async (t) => {
  t.strictSame(await killWriter(t), { stays: false });
});

t.test('control: when readers do not forget who wrote, the old value stays', { skip: NO_SERVER }, async (t) => {
  const bug: Bug = {
    file: 'tier/keyspace.js',
    from: 'member.near.unmark(name);\n            return this.#read',
    to: 'return this.#read',
  };
  t.strictSame(await killWriter(t, bug), { stays: true });
});
