/** Two members of a fleet on one server: each sees what the other does, and keeps near what nobody has changed. */
import { inspect } from 'node:util';
import t from 'tap';
import { command } from '../../scripts/services/redis.js';
import { SharedCache } from '../../src/index.js';
import type { TieredCache } from '../../src/tier/index.js';
import { join, NO_SERVER, program, startFor, until, urlOf } from '../fixtures/fleet.js';

t.setTimeout(120_000);

t.test('two members', { skip: NO_SERVER }, async (t) => {
  const server = await startFor(t);
  const remote = { url: urlOf(server) };
  const a = await join(t, remote);
  const b = await join(t, remote);
  const redis = (...words: string[]): Promise<string> => command(program as never, server.port, ...words);
  /** Both have been told of everything that was done so far: the mark is told after it. */
  let marks = 0;
  const settled = async (): Promise<void> => {
    const mark = `mark ${marks++}`;
    for (const [writer, reader] of [
      [a, b],
      [b, a],
    ]) {
      await reader.put(mark, 'old');
      await until(async () => (await reader.get(mark)) === 'old' && reader.local.get(mark) === 'old');
      await writer.put(mark, 'new');
      await until(() => reader.local.get(mark) === undefined);
      await writer.delete(mark);
    }
  };
  // The first put of a fleet makes its generation, which ends what is near.
  await a.put('first', 1);
  await settled();
  t.strictSame([a.status, b.status], ['up', 'up']);

  t.test('a write is seen by the other, and what was near is gone', async (t) => {
    t.equal(await a.put('k', { deep: [1, new Date(5)] }), true);
    t.strictSame(await b.get('k'), { deep: [1, new Date(5)] });
    // News of the write may come after the answer, and end what is near: the next get brings it back.
    await until(async () => (await b.get('k')) !== undefined && b.local.get('k') !== undefined);
    t.strictSame(b.local.get('k'), { deep: [1, new Date(5)] }, 'now near');
    await a.put('k', 'changed');
    await until(() => b.local.get('k') === undefined);
    t.equal(await b.get('k'), 'changed');
  });

  t.test('a write of its own stays near, an older one than that of another does not', async (t) => {
    await a.put('own', 'mine');
    await settled();
    t.equal(a.local.get('own'), 'mine');
    await b.put('own', 'theirs');
    await settled();
    t.equal(a.local.get('own'), undefined);
    t.equal(await a.get('own'), 'theirs');
  });

  t.test('the value that was put counts, not what becomes of the object', async (t) => {
    const value = { n: 1 };
    const stored = a.put('object', value);
    value.n = 2;
    await stored;
    t.strictSame(await a.get('object'), { n: 1 });
    t.strictSame(await b.get('object'), { n: 1 });
  });

  t.test('of puts of one key in one turn the last one wins, everywhere', async (t) => {
    await Promise.all([1, 2, 3, 4].map((n) => a.put('race', n)));
    await settled();
    t.strictSame([await a.get('race'), await b.get('race')], [4, 4]);
    await Promise.all([a.put('race', 'a'), b.put('race', 'b'), a.put('race', 'c'), b.put('race', 'd')]);
    await settled();
    const [of, with_] = [await a.get('race'), await b.get('race')];
    t.equal(of, with_, 'whoever was last');
  });

  t.test('every kind of key and value', async (t) => {
    const keys = [
      '',
      ' ',
      '{',
      '}',
      '{}',
      '{a}b',
      'a}b{',
      '\0',
      '\0k',
      '\0a',
      '%',
      '%0000',
      '\ud800',
      'é😀',
      ':',
      'x'.repeat(9_000),
    ];
    const values = [
      null,
      true,
      0,
      -0,
      Number.NaN,
      Infinity,
      5n,
      'text',
      '\udfff',
      { a: [1] },
      new Map([[1, 2]]),
      Buffer.from('x'),
    ];
    for (const [i, key] of keys.entries()) {
      const value = values[i % values.length];
      t.equal(await a.put(key, value), true);
      t.strictSame(await b.get(key), value, JSON.stringify(key.slice(0, 9)));
      t.strictSame(await b.namespace('n').get(key), undefined);
      await a.put(key, i);
      await until(() => b.local.get(key) === undefined);
      t.equal(await b.get(key), i);
      t.equal(await b.delete(key), true);
      await until(() => a.local.get(key) === undefined);
    }
  });

  t.test('delete and take', async (t) => {
    await a.put('d', 1);
    t.equal(await b.get('d'), 1);
    t.strictSame([await a.delete('d'), await a.delete('d'), await b.delete('d')], [true, false, false]);
    await until(() => b.local.get('d') === undefined);
    await a.put('t', [1]);
    const taken = await Promise.all([a.take('t'), b.take('t'), a.take('t'), b.take('t')]);
    t.strictSame(
      taken.filter((value) => value !== undefined),
      [[1]],
    );
    await a.putMany([
      ['m1', 1],
      ['m2', 2],
      ['m1', 3],
    ]);
    t.strictSame(await b.getMany(['m1', 'm2', 'm3']), [3, 2, undefined]);
    t.equal(await b.deleteMany(['m1', 'm2', 'm3', 'm1']), 2);
    await until(async () => (await a.getMany(['m1', 'm2'])).every((value) => value === undefined));
  });

  t.test('TTL, touch and expiresIn', async (t) => {
    await a.put('ttl', 1, { ttl: '1h' });
    const left = (await b.expiresIn('ttl')) as number;
    t.ok(left > 3_590_000 && left <= 3_600_500, `${left}`);
    t.equal(await b.touch('ttl', 5_000, { tags: ['touched'] }), true);
    t.ok(((await a.expiresIn('ttl')) as number) <= 5_500);
    t.equal(await a.get('ttl'), 1);
    await a.invalidateTags('touched');
    t.equal(await a.get('ttl'), undefined);
    t.equal(await a.touch('ttl', 1), false);
    t.equal(await a.expiresIn('ttl'), undefined);
    await a.put('ever', 1, { ttl: Infinity });
    t.equal(await b.expiresIn('ever'), Infinity);
    await a.put('ever', 1, { ttl: 0 });
    t.equal(await b.get('ever'), undefined);
    await a.put('short', 1, { ttl: 80 });
    t.equal(await b.get('short'), 1);
    await until(async () => (await b.get('short')) === undefined && (await a.get('short')) === undefined);
  });

  t.test('counters are exact over both, and keep TTL and tags', async (t) => {
    await Promise.all(Array.from({ length: 200 }, (_, i) => (i % 2 ? a : b).increment('n', 1, { ttl: 60_000 })));
    t.strictSame([await a.get('n'), await b.get('n')], [200, 200]);
    const { value, expiresIn } = await a.incrementEntry('n', 0.5, { ttl: 5 });
    t.equal(value, 200.5);
    t.ok(expiresIn > 50_000 && expiresIn <= 60_500, `${expiresIn}`);
    await a.put('tagged', 7, { tags: ['c'] });
    t.equal(await b.increment('tagged', 3), 10);
    await b.invalidateTags('c');
    t.equal(await b.increment('tagged', 0), 0);
    t.equal(await a.increment('tagged', 1), 1, 'what a tag has ended counts as absent');
    t.equal(await a.increment('infinite', Infinity), Infinity);
    await t.rejects(a.increment('infinite', -Infinity), { code: 'ERR_INVALID_VALUE' });
    await a.put('text', 'x');
    await t.rejects(b.increment('text'), { code: 'ERR_INVALID_VALUE' });
    t.equal(await a.get('text'), 'x');
    await t.rejects(a.increment('n', Number.NaN), { code: 'ERR_INVALID_ARGUMENT' });
  });

  t.test('tags, namespaces and clear, in the whole fleet', async (t) => {
    const inA = a.namespace('users').namespace('eu');
    const inB = b.namespace('users').namespace('eu');
    await inA.put('k', 'eu', { tags: ['x'] });
    await a.put('k', 'root', { tags: ['x', 'y'] });
    await a.put('plain', 1);
    t.strictSame([await inB.get('k'), await b.get('k'), await b.get('plain')], ['eu', 'root', 1]);
    await b.invalidateTags(['x', 'never used']);
    t.strictSame([await b.get('k'), await inB.get('k')], [undefined, 'eu'], 'its tags are its own');
    await settled();
    t.strictSame([await a.get('k'), await inA.get('k'), a.local.get('plain')], [undefined, 'eu', 1]);
    await a.put('k', 'later', { tags: ['x'] });
    t.equal(await b.get('k'), 'later', 'a later put is seen');
    await b.namespace('users').clear();
    t.strictSame([await inB.get('k'), await b.get('plain')], [undefined, 1], 'inner ones too, nothing outside');
    await settled();
    t.equal(await inA.get('k'), undefined);
    await inA.put('k', 'again');
    await a.clear();
    await settled();
    for (const member of [a, b]) {
      t.strictSame(await member.getMany(['k', 'plain', 'own']), [undefined, undefined, undefined]);
      t.equal(await member.namespace('users').namespace('eu').get('k'), undefined);
    }
    await a.put('k', 'after');
    t.equal(await b.get('k'), 'after');
    for (let i = 0; i < 50; i++) {
      await (i % 2 ? a.clear() : a.invalidateTags('x'));
      await b.put('k', i, { tags: ['x'] });
      t.equal(await b.get('k'), i, 'a put that follows a clear by another is seen');
      await until(async () => (await a.get('k')) === i);
      await a.clear();
      t.equal(await b.increment('k', 5), 5);
      t.equal(await a.increment('k', 1), 6);
    }
    t.equal(b.namespace('users').name, 'users');
    t.equal(inspect(inB), 'TieredNamespace { "users" / "eu" }', 'and never the member');
  });

  t.test('what is foreign or damaged is a miss, and is counted', async (t) => {
    const before = b.getStats().remote.errors;
    for (const key of ['damaged', 'list', 'cut']) await a.put(key, { some: 'value that is long enough' });
    await settled();
    await redis('setrange', 'app:damaged', '50', 'XXX');
    await redis('del', 'app:list');
    await redis('lpush', 'app:list', 'x');
    await redis('set', 'app:cut', 'MC');
    await redis('set', 'app:alien', 'hello');
    await settled();
    for (const key of ['damaged', 'list', 'cut', 'alien']) {
      t.equal(await b.get(key), undefined, key);
      t.equal(await b.delete(`${key} not there`), false);
      t.equal(await a.getOrSet(key, () => `loaded ${key}`), `loaded ${key}`);
      t.equal(await b.get(key), `loaded ${key}`);
    }
    t.ok(b.getStats().remote.errors > before);
  });

  t.test('evicted, expired or removed at the remote by anybody is gone here', async (t) => {
    await a.put('by hand', 1);
    t.equal(await b.get('by hand'), 1);
    await redis('del', 'app:by hand');
    await until(() => b.local.get('by hand') === undefined && a.local.get('by hand') === undefined);
    await a.put('flushed', 1);
    await redis('flushall');
    await until(() => a.local.get('flushed') === undefined);
    t.equal(await a.get('flushed'), undefined);
    t.equal(await a.put('flushed', 2), true);
    t.equal(await b.get('flushed'), 2);
    t.ok(a.getStats().remote.flushes >= 2);
  });

  t.test('others in the remote, and in the local cache, are left alone', async (t) => {
    await redis('set', 'other:k', 'theirs');
    const near = a.local.namespace('mine');
    near.put('k', 'mine');
    await a.clear();
    await settled();
    t.equal(await redis('get', 'other:k'), 'theirs\n');
    t.equal(near.get('k'), 'mine');
  });

  t.test('frozen local values', async (t) => {
    const frozen: TieredCache = await join(t, remote, { local: new SharedCache({ maxBytes: '4MB', frozen: true }) });
    await a.put('f', { deep: { x: 1 } });
    // The news of the put may come after the first get.
    let value: unknown;
    await until(async () => {
      value = await frozen.get('f');
      return (await frozen.get('f')) === value;
    });
    t.ok(Object.isFrozen((value as { deep: object }).deep));
    await a.put('f', { deep: { x: 2 } });
    await until(async () => (await frozen.get('f')) !== value);
    t.strictSame(await frozen.get('f'), { deep: { x: 2 } });
  });

  t.test('another prefix is another fleet', async (t) => {
    const other = await join(t, remote, { prefix: 'other app:' });
    await other.put('first', 'theirs');
    t.not(await a.get('first'), 'theirs');
    await other.clear();
    await a.put('first', 'ours');
    t.equal(await b.get('first'), 'ours');
  });
});
