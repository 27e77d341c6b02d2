/** With `BUG=private-copies`, all of this must fail: see threads-control.test.ts. */
import t from 'tap';
import { TEAM_SIZES } from '../fixtures/effort.js';
import type { Walks } from '../fixtures/jobs/iteration.js';
import { runTeam } from '../fixtures/team.js';
import { withCache } from '../fixtures/with-cache.js';

t.setTimeout(120_000);

for (const size of TEAM_SIZES) {
  t.test(`${size} threads: a walk sees what stays exactly once, whole, and nothing that is over`, async (t) => {
    const walks = (await runTeam(withCache(t, { maxBytes: '16MB' }), 'walk', size)) as Walks[];
    const total = (name: keyof Walks): number => walks.reduce((sum, seen) => sum + seen[name], 0);
    t.equal(total('notOnce'), 0);
    t.equal(total('mixed'), 0);
    t.equal(total('late'), 0);
    t.ok(total('others') > 0, `${total('others')} entries that came and went were seen`);
  });

  t.test(`${size} threads: clear takes all there is, and nothing that comes after`, async (t) => {
    const cache = withCache(t);
    t.same(await runTeam(cache, 'clear', size), Array(size).fill(0), 'no value is another’s');
    for (let i = 0; i < size * 100; i++)
      t.equal(cache.get(`after ${i % size} ${Math.floor(i / size)}`), Math.floor(i / size));
    t.ok(cache.size <= size * 200);
    cache.clear();
    t.equal(cache.size, 0);
    t.same([...cache], []);
  });
}
