import { rmSync } from 'node:fs';
import t from 'tap';
import { copyEngine } from '../fixtures/instrument.js';
import { killMany } from '../fixtures/kills.js';

t.setTimeout(280_000);

/** Enough for a bug that shows in one death out of four to be missed once in a million runs. */
const KILLS = 48;

t.test('without the undo, and with an unlock in its place, real kills are found out', async (t) => {
  const { folder, cache } = copyEngine({
    file: 'table/shard.js',
    from: 'this.memory.rollback();',
    to: 'this.memory.commit();',
  });
  t.teardown(() => rmSync(folder, { recursive: true }));
  const { problems, recoveries } = await killMany('terminate', KILLS, cache);
  t.comment(`${recoveries} recoveries, ${problems.length} problems`);
  t.not(problems.length, 0);
});
