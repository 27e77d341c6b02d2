/**
 * What the tier asks of a server, on Valkey: it tells of changes, gives leases, and refuses what a write overtook. The long run
 * has all tests of the fleet there.
 */
import t from 'tap';
import { command, serverProgram, startServer, versionOf } from '../../scripts/services/redis.js';
import { join, until, urlOf } from '../fixtures/fleet.js';

const program = serverProgram('valkey');

t.test('two members on Valkey', { skip: program === undefined && 'no Valkey can be had' }, async (t) => {
  if (program === undefined) return;
  t.match(await versionOf(program), /^Valkey \d+\.\d+\.\d+$/);
  const server = await startServer(program);
  t.teardown(() => server.stop());
  const a = await join(t, { url: urlOf(server) });
  const b = await join(t, { url: urlOf(server) });
  const isNear = (key: string, value: unknown) => async () =>
    (await b.get(key)) === value && b.local.get(key) === value;

  t.test('what the other writes, ends or clears is told, whoever does it', async (t) => {
    for (const [what, change, left] of [
      ['put', () => a.put('k', 'new'), 'new'],
      ['increment', () => a.increment('k'), 1],
      ['delete', () => a.delete('k'), undefined],
      ['invalidateTags', () => a.invalidateTags('tag'), undefined],
      ['clear', () => a.clear(), undefined],
      ['somebody else', () => command(program, server.port, 'del', 'app:k'), undefined],
      ['flush', () => command(program, server.port, 'flushall'), undefined],
    ] as const) {
      if (what === 'increment') await a.put('k', 0);
      else await a.put('k', 'old', { tags: ['tag'] });
      await until(isNear('k', what === 'increment' ? 0 : 'old'), `the value before ${what}`);
      await change();
      await until(() => b.local.get('k') === undefined, `news of ${what}`);
      t.equal(await b.get('k'), left, what);
    }
    await a.put('short', 1, { ttl: 60 });
    await until(async () => (await b.get('short')) === undefined, 'the end of its TTL');
  });

  t.test('one lease for all who load, and none for a load that a write overtakes', async (t) => {
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let loads = 0;
    const load = async (): Promise<string> => {
      loads++;
      await finished;
      return 'loaded';
    };
    const calls = [a, b].map((cache) => cache.getOrSet('one', load));
    const overtaken = a.getOrSet('overtaken', load);
    await until(() => loads === 2 && a.getStats().remote.waits + b.getStats().remote.waits === 1);
    await b.put('overtaken', 'newer');
    finish();
    t.strictSame(await Promise.all([...calls, overtaken]), ['loaded', 'loaded', 'loaded']);
    t.equal(loads, 2);
    t.equal(a.getStats().remote.fillsRefused, 1);
    t.strictSame([await a.get('overtaken'), await b.get('overtaken')], ['newer', 'newer']);
  });
});
