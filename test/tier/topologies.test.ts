/** A fleet on a cluster of three, and under Sentinel while its primary dies. */
import t from 'tap';
import { moveSlots, SENTINEL_NAME, startCluster, startSentinels } from '../../scripts/services/redis.js';
import { ONLY_LONG } from '../fixtures/effort.js';
import { join, NO_SERVER, program, until } from '../fixtures/fleet.js';

t.setTimeout(180_000);
const skip = NO_SERVER || ONLY_LONG.skip;

t.test('a cluster: values, counters, tags and loads, whichever node has them', { skip }, async (t) => {
  const { nodes, stop } = await startCluster(program as never);
  t.teardown(stop);
  const remote = { cluster: { rootNodes: nodes.map(({ host, port }) => ({ url: `redis://${host}:${port}` })) } };
  const a = await join(t, remote);
  const b = await join(t, remote);
  t.strictSame([a.status, b.status], ['up', 'up']);
  await a.put('first', 1);
  const keys = Array.from({ length: 60 }, (_, i) => `key ${i}`);
  t.equal(await a.putMany(keys.map((key, i) => [key, i])), keys.length);
  t.strictSame(
    await b.getMany(keys),
    keys.map((_, i) => i),
  );
  await a.putMany(keys.map((key, i) => [key, -i]));
  await until(() => keys.every((key) => b.local.get(key) === undefined), 'news of every node');
  await Promise.all(keys.map((key, i) => (i % 2 ? a : b).increment(`n ${key}`, i)));
  for (const [i, key] of keys.entries()) t.equal(await b.increment(`n ${key}`, 1), i + 1);
  await a.put('tagged', 1, { tags: ['x', 'y'] });
  await b.invalidateTags('y');
  t.equal(await b.get('tagged'), undefined);
  // Who has no answer in time loads by itself, which on a loaded machine is no fault.
  const patient = { timeouts: { remoteMs: 5_000 } };
  const loaders = [await join(t, remote, patient), await join(t, remote, patient)];
  let loads = 0;
  const values = await Promise.all(
    keys.flatMap((key) => loaders.map((cache) => cache.getOrSet(`l ${key}`, () => ++loads && key))),
  );
  t.equal(loads, keys.length);
  t.equal(values.length, 2 * keys.length);
  t.equal(await a.take('key 5'), -5);
  await b.namespace('n').put('k', 1);
  t.equal(await a.namespace('n').get('k'), 1);
  await a.clear();
  t.strictSame(await a.getMany(keys.slice(0, 5)), [undefined, undefined, undefined, undefined, undefined]);

  t.test('slots that move from one node to another', async (t) => {
    await until(async () => {
      await a.putMany(keys.map((key, i) => [key, i]));
      return (await b.getMany(keys)).every((value, i) => value === i);
    });
    const moved = moveSlots(program as never, nodes[0], nodes[1], 500);
    let isMoving = true;
    void moved.finally(() => {
      isMoving = false;
    });
    let version = 0;
    // Writes go on meanwhile; each is seen by the other.
    do {
      version++;
      const stored = await a.putMany(keys.map((key) => [key, `${key} ${version}`]));
      t.equal(stored, keys.length);
      const seen = async (): Promise<boolean> =>
        (await b.getMany(keys)).every((value, i) => value === undefined || value === `${keys[i]} ${version}`);
      await until(seen, 'no old value is left');
    } while (isMoving);
    await moved;
    await until(() => a.status === 'up' && b.status === 'up');
    await until(async () => {
      await a.putMany(keys.map((key) => [key, 'last']));
      return (await b.getMany(keys)).every((value) => value === 'last');
    });
    t.ok(version > 1, `${version} rounds of writes`);
  });

  t.test('a node that dies takes its keys along, and nothing else', async (t) => {
    await until(async () => {
      await a.putMany(keys.map((key, i) => [key, i]));
      return (await b.getMany(keys)).every((value, i) => value === i);
    });
    nodes[2].signal('SIGKILL');
    const start = performance.now();
    const stored = await Promise.all(keys.map((key) => a.put(key, 'later')));
    t.ok(stored.every(Boolean));
    t.ok(performance.now() - start < 5_000);
    t.strictSame(await Promise.all(keys.map((key) => a.getOrSet(key, () => 'loaded'))).then((all) => all.length), 60);
    await until(() => a.status === 'down' && b.status === 'down', 'it is noticed');
  });
});

t.test('sentinels: the fleet follows the new primary', { skip }, async (t) => {
  const { sentinels, primary, stop } = await startSentinels(program as never);
  t.teardown(stop);
  const remote = {
    sentinel: { name: SENTINEL_NAME, sentinelRootNodes: sentinels.map(({ host, port }) => ({ host, port })) },
  };
  const a = await join(t, remote);
  const b = await join(t, remote);
  await a.put('first', 1);
  await a.put('k', 'old');
  await until(async () => (await b.get('k')) === 'old');
  await a.put('k', 'new');
  await until(async () => (await b.get('k')) === 'new', 'news come');
  primary.signal('SIGKILL');
  await until(() => a.status === 'down' && b.status === 'down', 'it is noticed', 20_000);
  t.equal(await a.put('k', 'meanwhile'), true);
  t.equal(await a.get('k'), 'meanwhile');
  await until(() => a.status === 'up' && b.status === 'up', 'it is back', 60_000);
  await a.put('k', 'later');
  await until(async () => (await b.get('k')) === 'later', 'the new primary has it');
  await a.put('k', 'latest');
  await until(async () => (await b.get('k')) === 'latest', 'news of the new primary');
});
