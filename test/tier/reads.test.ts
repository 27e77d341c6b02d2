/** What is read in one turn of the event loop is asked for in one command, as long as its values are small. */
import t from 'tap';
import { command, type Server } from '../../scripts/services/redis.js';
import { join, NO_SERVER, program, startFor, urlOf } from '../fixtures/fleet.js';

t.setTimeout(60_000);

/** How often the server has carried out the command. */
async function callsOf(server: Server, name: string): Promise<number> {
  const stats = await command(program as never, server.port, 'info', 'commandstats');
  return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

t.test('reads of one turn', { skip: NO_SERVER }, async (t) => {
  const server = await startFor(t);
  const remote = { url: urlOf(server) };
  const writer = await join(t, remote);
  const reader = await join(t, remote, { timeouts: { remoteMs: 5_000 } });
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
  await writer.putMany(keys.map((key) => [key, key]));
  // The names of generations are near from now on.
  await reader.put('first', 1);

  t.test('are few commands, and each has its own answer', async (t) => {
    const [alone, together] = [await callsOf(server, 'get'), await callsOf(server, 'mget')];
    const wanted = keys.flatMap((key, i) => (i % 10 === 0 ? [key, `absent ${i}`] : [key]));
    t.strictSame(
      await reader.getMany(wanted),
      wanted.map((key) => (key.startsWith('k') ? key : undefined)),
    );
    t.equal(await callsOf(server, 'get'), alone);
    t.equal(await callsOf(server, 'mget'), together + Math.ceil(wanted.length / 32));
    t.strictSame(reader.local.getMany(keys), keys, 'all are near');
  });

  t.test('a key that is asked for alone, and one that is no string', async (t) => {
    await command(program as never, server.port, 'rpush', 'app:list', 'x');
    t.equal(await reader.get('none'), undefined);
    t.strictSame(await reader.getMany(['list', 'none', 'list']), [undefined, undefined, undefined]);
  });

  t.test('large values come one by one, until they are small again', async (t) => {
    const large = Array.from({ length: 6 }, (_, i) => `large ${i}`);
    await writer.putMany(large.map((key) => [key, 'x'.repeat(100_000)]));
    t.equal((await reader.get(large[0]))?.toString().length, 100_000);
    const [alone, together] = [await callsOf(server, 'get'), await callsOf(server, 'mget')];
    const got = await reader.getMany(large.slice(1));
    t.ok(got.every((value) => value?.toString().length === 100_000));
    t.equal((await callsOf(server, 'get')) - alone, large.length - 1);
    reader.local.clear();
    await reader.put('first', 1);
    await reader.get('absent');
    const before = await callsOf(server, 'mget');
    t.equal(before, together);
    t.strictSame(await reader.getMany(['k1', 'k2']), ['k1', 'k2']);
    t.equal(await callsOf(server, 'mget'), together + 1);
  });

  t.test('all of them end when the server does not answer', async (t) => {
    const hasty = await join(t, remote, { timeouts: { remoteMs: 100 } });
    server.signal('SIGSTOP');
    t.strictSame(
      await hasty.getMany(keys),
      keys.map(() => undefined),
    );
    t.ok(hasty.getStats().remote.timeouts > 0);
    server.signal('SIGCONT');
  });
});
