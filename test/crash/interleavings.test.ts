import t from 'tap';
import { exploreAll, exploreRandom, seededRandom } from '../fixtures/interleaving/explore.js';
import { Interleaving } from '../fixtures/interleaving/interleaving.js';
import { bugs, oneEach, twoEach } from '../fixtures/interleaving/scenarios.js';

/**
 * The compiled engine's threads in every order that a few preemptions and a death can bring about: lock, steal, repair,
 * read, evict. One access to shared memory is one step, and memory is sequentially consistent; litmus.test.ts has what is
 * not. After each schedule: the structure, every answer, and what is there, against a sequential reference.
 *
 *   SEED=1 SCHEDULES=100000     more of the schedules drawn at random
 *   PREEMPTIONS=3 KILLS=1       go through all schedules within these bounds instead
 *   BUG=no-repair               plant one of the bugs of scenarios.ts in the engine; these tests then fail
 */
const seed = Number(process.env.SEED ?? 42);
const drawn = Number(process.env.SCHEDULES ?? 2_000);
const bug = bugs[process.env.BUG ?? ''];
if (process.env.BUG !== undefined && bug === undefined) throw new Error(`there are ${Object.keys(bugs).join(', ')}`);
const asked = { preemptions: Number(process.env.PREEMPTIONS), kills: Number(process.env.KILLS ?? 0) };
t.setTimeout(process.env.PREEMPTIONS === undefined ? 280_000 : 0);
t.comment(`SEED=${seed}`);
process.setMaxListeners(0);

const exhaustive = [
  { name: 'two operations each', scenario: twoEach, bounds: { preemptions: 2, kills: 0 } },
  { name: 'two operations each', scenario: twoEach, bounds: { preemptions: 1, kills: 1 } },
  { name: 'one operation each', scenario: oneEach, bounds: { preemptions: 1, kills: 1 } },
];

for (const { name, scenario, bounds: usual } of exhaustive) {
  const bounds = process.env.PREEMPTIONS === undefined ? usual : asked;
  t.test(
    `${name}: all schedules of at most ${bounds.preemptions} preemptions and ${bounds.kills} deaths`,
    async (t) => {
      const interleaving = await Interleaving.of(scenario, bug);
      t.teardown(() => interleaving.close());
      const { schedules, problems } = exploreAll(interleaving, bounds);
      t.comment(`${schedules} schedules`);
      t.same(problems, []);
    },
  );
}

t.test(`two operations each: ${drawn} schedules drawn at random`, async (t) => {
  const interleaving = await Interleaving.of(twoEach, bug);
  t.teardown(() => interleaving.close());
  const { problems } = exploreRandom(interleaving, drawn, seededRandom(seed));
  t.same(problems, []);
});
