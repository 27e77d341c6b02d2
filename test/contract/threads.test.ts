import t from 'tap';
import { TEAM_SIZES } from '../fixtures/effort.js';
import { runTeam } from '../fixtures/team.js';
import { withCache } from '../fixtures/with-cache.js';

const sum = (numbers: unknown[]): number => (numbers as number[]).reduce((a, b) => a + b, 0);

for (const size of TEAM_SIZES) {
  t.test(`${size} threads`, async (t) => {
    t.equal(sum(await runTeam(withCache(t), 'putIfAbsent', size)), 2_000, 'one of all racing threads stores');

    const counters = withCache(t);
    await runTeam(counters, 'increment', size);
    for (let i = 0; i < 5; i++) t.equal(counters.get(`counter ${i}`), size * 1_000);

    const lists = withCache<unknown>(t);
    await runTeam(lists, 'update', size);
    t.same(lists.get('list'), { n: size * 500 });

    t.equal(sum(await runTeam(withCache(t), 'visibility', size)), 0, 'no read is older than what was announced');

    const always = withCache<unknown>(t);
    always.put('always', 'a'.repeat(300));
    t.equal(sum(await runTeam(always, 'present', size)), 0, 'a key that is overwritten is never absent or mixed');

    const counted = withCache(t);
    await runTeam(counted, 'hits', size);
    t.match(counted.getStats(), { hits: size * 100, misses: size * 10, puts: size, threads: 1 });
  });
}
