/** Adapters whose library waits for its answers, over the cache of a fleet: two members are one store. */
import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';
import t from 'tap';
import { apolloCache } from '../../src/adapters/apollo.js';
import { cacheManagerStore } from '../../src/adapters/cache-manager.js';
import { rateLimitStore } from '../../src/adapters/express-rate-limit.js';
import { keyvStore } from '../../src/adapters/keyv.js';
import { join, NO_SERVER, startFor, until, urlOf } from '../fixtures/fleet.js';

t.setTimeout(60_000);

t.test('over a fleet', { skip: NO_SERVER }, async (t) => {
  const server = await startFor(t);
  const remote = { url: urlOf(server) };
  const a = await join(t, remote);
  const b = await join(t, remote);

  t.test('keyv', async (t) => {
    const inA = new Keyv({ store: keyvStore(a), namespace: 'users' });
    const inB = new Keyv({ store: keyvStore(b), namespace: 'users' });
    const others = new Keyv({ store: keyvStore(b), namespace: 'others' });
    t.equal(await inA.set('k', { n: 1 }, 60_000), true);
    await others.set('k', 'theirs');
    t.strictSame(await inB.get('k'), { n: 1 });
    t.strictSame([await inB.has('k'), await inB.has('l')], [true, false]);
    t.strictSame(await inB.get(['k', 'l']), [{ n: 1 }, undefined]);
    await inB.clear();
    await until(async () => (await inA.get('k')) === undefined);
    t.equal(await others.get('k'), 'theirs', 'a namespace clears itself only');
    await inA.set('k', 2);
    t.strictSame([await inB.delete('k'), await inB.get('k')], [true, undefined]);
  });

  t.test('cache-manager', async (t) => {
    const stores = [a, b].map((cache) => createCache({ stores: [cacheManagerStore(cache.namespace('manager'))] }));
    t.equal(await stores[0].wrap('k', async () => 'made'), 'made');
    t.equal(await stores[1].wrap('k', async () => 'made again'), 'made');
  });

  t.test('apollo', async (t) => {
    const [inA, inB] = [apolloCache(a), apolloCache(b)];
    await inA.set('apollo', 'value', { ttl: 60 });
    t.equal(await inB.get('apollo'), 'value');
    t.equal(await inB.delete('apollo'), true);
    await until(async () => (await inA.get('apollo')) === undefined);
  });

  t.test('express-rate-limit', async (t) => {
    const stores = [a, b].map((cache) => rateLimitStore(cache));
    for (const store of stores) store.init?.({ windowMs: 60_000 } as never);
    const counted = await Promise.all(Array.from({ length: 20 }, (_, i) => stores[i % 2].increment('client')));
    t.strictSame(
      counted.map(({ totalHits }) => totalHits).sort((x, y) => x - y),
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    for (const { resetTime } of counted) t.ok((resetTime as Date).getTime() > Date.now() + 50_000);
    await stores[0].decrement('client');
    t.equal((await stores[1].get?.('client'))?.totalHits, 19);
    await stores[1].resetKey('client');
    await until(async () => (await stores[0].get?.('client')) === undefined);
    await stores[0].increment('client');
    await stores[0].resetAll?.();
    t.equal((await stores[0].increment('client')).totalHits, 1);
  });
});
