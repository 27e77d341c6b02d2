/** Adapters whose library waits for its answers, over the cache of a fleet: two members are one store. */
import { createCache } from 'cache-manager';
import type { SessionData, Store } from 'express-session';
import { Keyv } from 'keyv';
import t from 'tap';
import { createStorage } from 'unstorage';
import { apolloCache } from '../../src/adapters/apollo.js';
import { cacheManagerStore } from '../../src/adapters/cache-manager.js';
import { rateLimitStore } from '../../src/adapters/express-rate-limit.js';
import { sessionStore } from '../../src/adapters/express-session.js';
import { keyvStore } from '../../src/adapters/keyv.js';
import { unstorageDriver } from '../../src/adapters/unstorage.js';
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

  t.test('express-session', async (t) => {
    const [inA, inB] = [a, b].map((cache) => asPromised(sessionStore(cache, { ttl: '5m' })));
    const end = (ms: number): SessionData => ({ cookie: { expires: new Date(Date.now() + ms) } }) as never;
    await inA.set('ann', { ...end(60_000), name: 'Ann' } as SessionData);
    t.match(await inB.get('ann'), { name: 'Ann' });
    const sessions = a.namespace('session');
    t.ok(((await sessions.expiresIn('ann')) ?? 0) <= 60_000);
    await inB.touch('ann', end(120_000));
    await until(async () => ((await sessions.expiresIn('ann')) ?? 0) > 110_000);
    t.match(await inA.get('ann'), { name: 'Ann' }, 'a touch lets it live on');
    await inB.touch('absent', end(60_000));
    t.equal(await inA.get('absent'), null, 'and makes none');
    await inA.set('plain', { cookie: {} } as SessionData);
    t.ok(((await sessions.expiresIn('plain')) ?? 0) <= 300_000);
    await inB.set('over', end(-1_000));
    t.equal(await inB.get('over'), null);
    await inA.set('large', { cookie: {}, large: 'x'.repeat(8_000_000) } as never);
    t.match(await inA.get('large'), { cookie: {} }, 'the remote has what is too large for the machine');
    await inB.destroy('ann');
    await until(async () => (await inA.get('ann')) === null);
    t.strictSame([inA.store.all, inA.store.length], [undefined, undefined], 'a fleet lists nothing');
    await a.put('mine', 1);
    await inB.clear();
    await until(async () => (await inA.get('plain')) === null);
    t.equal(await b.get('mine'), 1);
    const circle: Record<string, unknown> = { cookie: {} };
    circle.self = circle;
    await t.rejects(inA.set('circle', circle as never));
  });

  t.test('unstorage', async (t) => {
    const [inA, inB] = [a, b].map((cache) =>
      createStorage({ driver: unstorageDriver(cache.namespace('storage'), { ttl: 60 }) }),
    );
    await inA.setItem('page:home', { html: '<h1>' });
    t.strictSame(await inB.getItem('page:home'), { html: '<h1>' });
    t.strictSame([await inB.hasItem('page:home'), await inB.hasItem('none')], [true, false]);
    const { ttl } = await inB.getMeta('page:home');
    t.ok(ttl !== undefined && ttl > 0 && ttl <= 60);
    const bytes = Uint8Array.of(0, 200, 255);
    await inB.setItemRaw('raw', bytes, { ttl: 5 });
    t.strictSame(await inA.getItemRaw('raw'), bytes);
    const left = await a.namespace('storage').expiresIn('raw');
    // Each member estimates the server's clock, as well as its questions are answered quickly.
    t.ok((left ?? Number.NaN) < 10_000, `its own 5 s and not the 60 of the driver: ${left} ms left`);
    await inB.removeItem('page:home');
    await until(async () => (await inA.getItem('page:home')) === null);
    t.strictSame(await inA.getKeys(), [], 'a fleet lists nothing');
    await a.put('mine', 1);
    await unstorageDriver(b.namespace('storage')).clear?.('raw:', {});
    t.strictSame(await inA.getItemRaw('raw'), bytes);
    await inB.clear();
    await until(async () => (await inA.getItemRaw('raw')) === null);
    t.equal(await b.get('mine'), 1);
  });
});

/** A session store whose answers can be awaited. */
function asPromised(store: Store): {
  store: Store;
  get: (sid: string) => Promise<SessionData | null | undefined>;
  set: (sid: string, data: SessionData) => Promise<void>;
  touch: (sid: string, data: SessionData) => Promise<void>;
  destroy: (sid: string) => Promise<void>;
  clear: () => Promise<void>;
} {
  const answered = <T>(work: (done: (error: unknown, result?: T) => void) => void): Promise<T> =>
    new Promise((resolve, reject) => work((error, result) => (error ? reject(error) : resolve(result as T))));
  return {
    store,
    get: (sid) => answered((done) => store.get(sid, done)),
    set: (sid, data) => answered((done) => store.set(sid, data, done)),
    touch: (sid, data) => answered((done) => store.touch?.(sid, data, done as () => void)),
    destroy: (sid) => answered((done) => store.destroy(sid, done)),
    clear: () => answered((done) => store.clear?.(done)),
  };
}
