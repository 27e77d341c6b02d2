/** What a fleet's members have open ends with them, whenever they are closed: else a program never ends. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import t from 'tap';
import { SharedCache } from '../../src/index.js';
import { TieredCache } from '../../src/tier/index.js';
import { createRemoteClient, destroyClient } from '../../src/tier/remote.js';
import { until } from '../fixtures/fleet.js';
import { engineFor } from '../fixtures/instrument.js';

/** A remote that accepts links and says nothing. */
async function startSilent(t: {
  teardown(end: () => void): void;
}): Promise<{ url: string; links: Set<Socket>; seen: () => number }> {
  const links = new Set<Socket>();
  let seen = 0;
  const server = createServer((link) => {
    seen++;
    links.add(link);
    link.on('error', () => {});
    link.on('close', () => links.delete(link));
    link.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const link of links) link.destroy();
    server.close();
  });
  return { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`, links, seen: () => seen };
}

t.test('a client that is destroyed while it connects leaves no link', async (t) => {
  const { url, links, seen } = await startSilent(t);
  const client = createRemoteClient({ url });
  client.on('error', () => {});
  const connected = client.connect();
  destroyClient(client);
  await t.rejects(connected);
  await until(() => seen() === 1 && links.size === 0, 'the end of the link');
});

t.test('nor does a cache that is closed while it connects', async (t) => {
  const { url, links, seen } = await startSilent(t);
  for (let round = 0; round < 3; round++) {
    const local = new SharedCache({ maxBytes: '1MB' });
    const timeouts = { remoteMs: 50 };
    const cache = await TieredCache.open({ local, remote: { url }, prefix: 'app:', timeouts });
    t.equal(cache.status, 'down');
    await cache.close();
    local.close();
  }
  t.ok(seen() > 0);
  await until(() => links.size === 0, 'the end of all links');
});

t.test('a thread that does not end is not waited for', async (t) => {
  const { url, links } = await startSilent(t);
  const copy = engineFor(t, { file: 'tier/tracker.js', from: 'end(refusal) {', to: 'end(refusal) {\n        return;' });
  const { SharedCache: Cache } = (await import(copy.entry)) as { SharedCache: typeof SharedCache };
  const { TieredCache: Tiered } = (await import(copy.tier)) as { TieredCache: typeof TieredCache };
  const local = new Cache({ maxBytes: '1MB' });
  const cache = await Tiered.open({ local, remote: { url }, prefix: 'app:', timeouts: { remoteMs: 50 } });
  await until(() => links.size > 1, 'the tracker');
  await cache.close();
  local.close();
  await until(() => links.size === 0, 'the end of all links');
});
