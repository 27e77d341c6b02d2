/** With `BUG=private-copies`, all of this must fail: see threads-control.test.ts. */
import t from 'tap';
import { TEAM_SIZES } from '../fixtures/effort.js';
import type { Prefixes } from '../fixtures/jobs/prefix.js';
import { BLOCKS } from '../fixtures/jobs/prefix.js';
import { runTeam } from '../fixtures/team.js';
import { withCache } from '../fixtures/with-cache.js';

t.setTimeout(120_000);

for (const size of TEAM_SIZES) {
  t.test(`${size} threads: longestPrefix is never shorter than what was announced, and counts`, async (t) => {
    const cache = withCache(t);
    const seen = (await runTeam(cache, 'prefix', size)) as Prefixes[];
    const total = (name: keyof Prefixes): number => seen.reduce((sum, prefixes) => sum + prefixes[name], 0);
    t.equal(total('short'), 0);
    t.match(
      cache.getStats(),
      { hits: total('lengths'), misses: total('ended'), puts: BLOCKS, evictions: 0 },
      'an access of each key in a run, and one miss for the key that ended it',
    );
    t.ok(total('lengths') > 0);
  });
}
