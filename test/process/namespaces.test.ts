/** Containers: other PID namespaces, other mounts, little space. Where the machine does not allow them it is said. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import t from 'tap';
import { openFile } from '../../src/process/open.js';
import { Child } from '../fixtures/process/child.js';
import { contentOf, counterOf } from '../fixtures/process/content.js';
import { folderFor } from '../fixtures/process/folder.js';

/** The prefix that runs a program so, or false and why not. */
function unshare(options: readonly string[], script = 'true'): { prefix: string[]; skip: string | false } {
  const prefix = ['unshare', ...options];
  const { status, stderr, error } = spawnSync(prefix[0], [...prefix.slice(1), 'sh', '-c', script], {
    encoding: 'utf8',
  });
  return { prefix, skip: status === 0 ? false : `unshare ${options.join(' ')}: ${error?.message ?? stderr.trim()}` };
}

const pid = unshare(['--pid', '--fork', '--kill-child', '--mount-proc']);
t.test('processes of different PID namespaces know who lives', { skip: pid.skip }, async (t) => {
  const path = `${folderFor(t)}/cache`;
  const { place } = openFile(path, contentOf());
  const records = place.threadRecords();
  t.ok(records.tryTake(1));
  const [one, other] = [new Child({}, pid.prefix), new Child({}, pid.prefix)];
  t.match(await one.ask({ do: 'open', path }), { origin: 'joined' });
  t.match(await other.ask({ do: 'open', path }), { origin: 'joined' });
  t.equal(await one.ask({ do: 'isTaken', record: 1 }), true);
  t.equal(await one.ask({ do: 'take', record: 2 }), true);
  t.equal(await other.ask({ do: 'isTaken', record: 2 }), true);
  await other.ask({ do: 'add', times: 3 });
  t.equal(counterOf(place.buffers)[0], 3);
  await one.kill();
  // unshare was killed; the kernel kills its child after it.
  while (records.isTaken(2)) await new Promise((resolve) => setTimeout(resolve, 5));
  t.equal(await other.ask({ do: 'isTaken', record: 2 }), false);
  t.equal(await other.ask({ do: 'isTaken', record: 1 }), true);
  await other.end();
  place.close();
});

const mount = unshare(['--mount'], 'mount -t tmpfs -o size=8m none /mnt');
t.test('a file system without room', { skip: mount.skip }, async (t) => {
  const script = 'mount -t tmpfs -o size=8m none "$0" && exec "$@"';
  const folder = folderFor(t);
  const child = new Child({}, [...mount.prefix, 'sh', '-c', script, folder]);
  t.teardown(() => child.kill());
  const path = `${folder}/cache`;
  const MB = 2 ** 20;
  const refused = await child.ask<{ code: string; message: string }>({ do: 'open', path, bigBytes: 64 * MB });
  t.equal(refused?.code, 'ERR_NO_SPACE');
  for (const part of [path, '64.1 MB', '8.0 MB free', '--shm-size']) t.match(refused?.message, part);
  t.match(await child.ask({ do: 'remove', path }), { removed: false }, 'nothing is left');
  t.match(await child.ask({ do: 'open', path, bigBytes: 7 * MB }), { origin: 'new' }, 'what fits is made');
  t.match(await child.ask({ do: 'open', path: `${path}-2`, bigBytes: 2 * MB }), { code: 'ERR_NO_SPACE' });
  t.match(await child.ask({ do: 'remove', path: `${path}-2` }), { removed: false });
  t.notOk(existsSync(path), 'in a mount of its own');
  t.same(readdirSync(folder), []);
});
