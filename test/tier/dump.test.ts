/** The dump of a member's local cache has what is its own, and nothing that it keeps near for the fleet. */
import t from 'tap';
import { SharedCache } from '../../src/index.js';
import { join, NO_SERVER, startFor, until, urlOf } from '../fixtures/fleet.js';
import { dumpFile } from '../fixtures/snapshots.js';

t.test('a copy that was near does not outlive its coherence in a dump', { skip: NO_SERVER }, async (t) => {
  const file = dumpFile(t);
  const server = await startFor(t);
  const remote = { url: urlOf(server) };
  const a = await join<string>(t, remote);
  await a.put('k', 'old', { tags: ['t'] });
  await a.namespace('n').put('k', 'old');
  await a.get('asked for, and not there');
  a.local.put('own', 'mine');
  a.local.namespace('n').put('own', 'mine');
  t.equal(a.local.get('k'), 'old', 'it is near');
  t.equal((await a.local.namespace('n').dump(file)).entries, 1);
  t.equal((await a.local.dump(file)).entries, 2);

  const b = await join<string>(t, remote);
  await b.put('k', 'new');
  await b.namespace('n').delete('k');
  const local = new SharedCache<string>({ maxBytes: '4MB' });
  t.match(await local.load(file), { entries: 2 });
  const c = await join<string>(t, remote, { local });
  t.equal(await c.get('k'), 'new');
  t.equal(await c.namespace('n').get('k'), undefined);
  t.strictSame([c.local.get('own'), c.local.namespace('n').get('own')], ['mine', 'mine']);

  await server.stop();
  await until(() => a.status === 'down');
  await a.put('alone', 'here');
  t.equal(a.local.get('alone'), 'here');
  t.equal((await a.local.dump(file)).entries, 2, 'nor what was stored without the link');
});
