/** The tests on several threads must fail where each thread reads copies of its own, as with `BUG=private-copies`. */
import t from 'tap';
import type { Walks } from '../fixtures/jobs/iteration.js';
import type { Expiries } from '../fixtures/jobs/ttl.js';
import { runTeam } from '../fixtures/team.js';
import { untilFound } from '../fixtures/until-found.js';
import { withCache } from '../fixtures/with-cache.js';

t.setTimeout(120_000);

process.env.BUG = 'private-copies';
const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);

t.test('late entries are noticed', async (t) => {
  const late = async (): Promise<number> => {
    const seen = (await runTeam(withCache(t), 'expire', 2)) as Expiries[];
    return seen.filter(({ latestMs }) => latestMs > 20).length;
  };
  t.not(await untilFound(late), 0);
});

t.test('stale values are noticed', async (t) => {
  t.not(await untilFound(async () => sum((await runTeam(withCache(t), 'baton', 2)) as number[])), 0);
});

t.test('walks over what is gone are noticed', async (t) => {
  // The writer may happen to rest while the copy is made.
  const late = async (): Promise<number> =>
    sum(((await runTeam(withCache(t), 'walk', 2)) as Walks[]).map((seen) => seen.late));
  t.not(await untilFound(late), 0);
});
