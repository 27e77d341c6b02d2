/**
 * A thread that tracks may stand still (a stopped process, a machine that is suspended or has too much to do), be taken for gone,
 * and go on. Whoever tracks then has the link up again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { SharedCache } from '../../src/index.js';
import { CONTROL } from '../../src/memory/layout.js';
import { Table } from '../../src/table/table.js';
import { Link } from '../../src/tier/link.js';
import { join, NO_SERVER, startFor, until, urlOf } from '../fixtures/fleet.js';
import { OWN_MODULES, startMember } from '../fixtures/fleet-process.js';
import { folderFor } from '../fixtures/process/folder.js';

/** Longer than a tracker may be silent, ms. */
const STOP_MS = 2_300;

t.test('within one process', { skip: NO_SERVER }, async (t) => {
  const url = urlOf(await startFor(t));
  const local = new SharedCache({ maxBytes: '4MB' });
  const session = SharedCache.sessionOf(local);
  const { arena } = session.open();
  // One that tracks, and stands still from here on.
  const stopped = Table.of(arena, { service: true });
  const before = new Link(stopped);
  t.ok(before.claim());
  arena.doubles[CONTROL.trackerBeat >> 1] -= STOP_MS;
  const cache = await join<number>(t, { url }, { local });
  const other = await join<number>(t, { url });

  const link = new Link(session.open());
  t.ok(link.isUp);

  t.test('the one that was replaced goes on, and gives up what is not its own any more', async (t) => {
    before.resign();
    t.ok(link.isUp);
    stopped.release();
  });

  t.test('the one that tracks was taken for gone, and goes on', async (t) => {
    await cache.put('key', 1);
    link.noteTrackerGone();
    t.notOk(link.isUp);
    await until(() => link.isUp, 'the link');
    await other.put('key', 2);
    await until(async () => (await cache.get('key')) === 2);
  });
});

t.test('a process that was stopped tracks again', { skip: NO_SERVER }, async (t) => {
  const membership = { ...OWN_MODULES, url: urlOf(await startFor(t)) };
  const other = await join<number>(t, { url: membership.url });
  const path = `${folderFor(t)}/cache`;
  const members = [await startMember(t, { ...membership, path }), await startMember(t, { ...membership, path })];
  const everyone = async (what: () => Promise<unknown>): Promise<void> => {
    for (const { child } of members) {
      child.kill('SIGSTOP');
      await what();
      child.kill('SIGCONT');
    }
  };
  await everyone(() => delay(STOP_MS));
  for (const member of members) await until(async () => (await member.tell({ do: 'status' })) === 'up');
  for (const [i, member] of members.entries()) {
    await other.put('key', i);
    await until(async () => (await member.tell({ do: 'get', key: 'key' })) === i);
  }
});
