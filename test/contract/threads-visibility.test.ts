/** With `BUG=private-copies`, all of this must fail: see threads-control.test.ts. */
import t from 'tap';
import { TEAM_SIZES } from '../fixtures/effort.js';
import { awaitValue, LAPS, PINGS } from '../fixtures/jobs/visibility.js';
import { runTeam } from '../fixtures/team.js';
import { withCache } from '../fixtures/with-cache.js';

t.setTimeout(120_000);

for (const size of TEAM_SIZES) {
  t.test(`${size} threads hand on a baton without turning their event loops`, async (t) => {
    const cache = withCache<unknown>(t);
    t.same(await runTeam(cache, 'baton', size), Array(size).fill(0));
    t.equal(cache.get('baton'), LAPS * size - 1);
  });

  t.test(`${size} threads answer a main thread whose event loop is blocked`, async (t) => {
    const cache = withCache<unknown>(t);
    const team = runTeam(cache, 'echo', size);
    let answered = 0;
    for (let i = 0; i < PINGS; i++) {
      cache.put('ping', i);
      for (let index = 0; index < size; index++) if (awaitValue(() => cache.get(`pong ${index}`), i)) answered++;
    }
    t.equal(answered, size * PINGS);
    t.same(await team, Array(size).fill(PINGS));
  });

  t.test(`${size} threads wait for each other by reading alone`, async (t) => {
    t.same(await runTeam(withCache(t), 'spin', size), Array(size).fill(true));
  });
}
