import t from 'tap';
import { engineFor } from '../fixtures/instrument.js';
import { killMany } from '../fixtures/kills.js';

t.setTimeout(280_000);

/** A bug that shows in one death out of four is missed once in a million runs. */
const MOST_KILLS = 48;
const AT_ONCE = 8;

t.test('without the undo, and with an unlock in its place, real kills are found out', async (t) => {
  const { cache } = engineFor(t, {
    file: 'table/shard.js',
    from: 'this.memory.rollback();',
    to: 'this.memory.commit();',
  });
  let found = 0;
  for (let kills = 0; kills < MOST_KILLS && found === 0; kills += AT_ONCE) {
    const { problems, recoveries } = await killMany('terminate', AT_ONCE, cache);
    t.comment(`${recoveries} recoveries, ${problems.length} problems`);
    found = problems.length;
  }
  t.not(found, 0);
});
