/**
 * Processes that open one path at the same time. Controls: a thread that does not tell of its presence, and deciding without
 * the opening lock, are both found out.
 */
import { truncateSync } from 'node:fs';
import t from 'tap';
import { effort } from '../fixtures/effort.js';
import { type Bug, engineFor, type Teardown } from '../fixtures/instrument.js';
import { Child } from '../fixtures/process/child.js';
import { folderFor } from '../fixtures/process/folder.js';

const PROCESSES = 8;
const ROUNDS = effort('ROUNDS', 15, 400);
const ADDS = 100;
t.setTimeout(120_000 + ROUNDS * 500);

type Answer = { origin?: string; message?: string };

/** What all of them do at once, and what went wrong. */
async function race(path: string, children: readonly Child[], rounds: number): Promise<string[]> {
  const problems: string[] = [];
  const tellAll = <T>(order: unknown): Promise<(T | undefined)[]> => {
    for (const child of children) child.tell(order);
    return Promise.all(children.map((child) => child.answer<T>()));
  };
  for (let round = 0; round < rounds && problems.length === 0; round++) {
    for (const first of ['new', 'warm', 'discarded']) {
      if (first === 'discarded') truncateSync(path, 100_000);
      const answers = await tellAll<Answer>({ do: 'open', path });
      const origins = answers.map((answer) => answer?.origin ?? answer?.message ?? 'died').sort();
      const expected = [first, ...Array.from({ length: PROCESSES - 1 }, () => 'joined')].sort();
      if (origins.join() !== expected.join()) problems.push(`round ${round}, ${first}: ${origins}`);
      await tellAll({ do: 'add', times: ADDS });
      const counts = await tellAll<number>({ do: 'add', times: 0 });
      const sum = (first === 'warm' ? 2 : 1) * PROCESSES * ADDS;
      if (counts.some((count) => count !== sum))
        problems.push(`round ${round}, ${first}: counted ${counts}, not ${sum}`);
      await tellAll({ do: 'close' });
    }
    const removed = await tellAll<{ removed?: boolean }>({ do: 'remove', path });
    const removers = removed.filter((answer) => answer?.removed === true).length;
    if (removers !== 1) problems.push(`round ${round}: ${removers} have removed it`);
  }
  return problems;
}

async function withChildren(t: Teardown, room: string | undefined, rounds: number): Promise<string[]> {
  const path = `${folderFor(t)}/cache`;
  const children = Array.from({ length: PROCESSES }, () => new Child(room === undefined ? {} : { PROCESS_ROOM: room }));
  try {
    return await race(path, children, rounds);
  } finally {
    await Promise.all(children.map((child) => child.kill()));
  }
}

t.test('one makes, revives, discards or removes it, and all have the same', async (t) => {
  t.same(await withChildren(t, undefined, ROUNDS), []);
});

const BUGS: Record<string, Bug> = {
  'without presence': {
    file: 'process/open.js',
    from: 'const inUse = locks.isHeldElsewhere(LOCK.presence)',
    to: 'const inUse = false',
  },
  'without the opening lock': {
    file: 'process/opening.js',
    from: '!locks.tryLock(LOCK.opening)',
    to: 'false',
  },
};
for (const [name, bug] of Object.entries(BUGS)) {
  t.test(`control: ${name}`, async (t) => {
    const { entry } = engineFor(t, bug);
    t.not((await withChildren(t, new URL('./process/', entry).href, 200)).length, 0);
  });
}
