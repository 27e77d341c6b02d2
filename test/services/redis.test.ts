/** The servers that tests and benchmarks use: alone in the usual run, under Sentinel and as a cluster in the long one. */
import { existsSync } from 'node:fs';
import t from 'tap';
import {
  command,
  SENTINEL_NAME,
  serverProgram,
  startCluster,
  startSentinels,
  startServer,
} from '../../scripts/services/redis.js';
import { ONLY_LONG } from '../fixtures/effort.js';

t.setTimeout(300_000);
const program = serverProgram();
if (program === undefined) t.pass('no server can be had');
else {
  const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

  t.test('a server alone, which leaves nothing behind', async (t) => {
    const [first, second] = await Promise.all([startServer(program), startServer(program)]);
    t.equal(await command(program, first.port, 'set', 'k', 'v'), 'OK\n');
    t.equal(await command(program, first.port, 'get', 'k'), 'v\n');
    t.equal(await command(program, second.port, 'get', 'k'), '\n', 'each is on its own');
    await Promise.all([first.stop(), second.stop()]);
    for (const { pid, folder } of [first, second]) t.notOk(isAlive(pid) || existsSync(folder));
  });

  t.test('flags of the caller', async (t) => {
    const server = await startServer(program, '--maxmemory', '5mb');
    t.match(await command(program, server.port, 'config', 'get', 'maxmemory'), '5242880');
    await server.stop();
    await t.rejects(startServer(program, '--no-such-flag', '1'), /does not get ready/);
  });

  t.test('sentinels make a replica the primary when the primary dies', ONLY_LONG, async (t) => {
    const { sentinels, primary, stop } = await startSentinels(program);
    primary.signal('SIGKILL');
    const asked = ['sentinel', 'get-master-addr-by-name', SENTINEL_NAME];
    let port = primary.port;
    while (port === primary.port) port = Number((await command(program, sentinels[0].port, ...asked)).split('\n')[1]);
    let stored = '';
    // The sentinels say who it is a moment before it knows.
    while (stored !== 'OK\n') stored = await command(program, port, 'set', 'k', 'v');
    t.pass(`${primary.port}, then ${port}`);
    await stop();
  });

  t.test('a cluster of three answers for all slots', ONLY_LONG, async (t) => {
    const { nodes, stop } = await startCluster(program);
    const stored: string[] = [];
    for (const { port } of nodes) stored.push(await command(program, port, 'set', 'k', 'v'));
    t.equal(stored.filter((answer) => answer === 'OK\n').length, 1, 'one node has the slot');
    t.equal(stored.filter((answer) => answer.startsWith('MOVED')).length, 2, 'the others say which');
    await stop();
  });
}
