import t from 'tap';
import { LONG } from '../fixtures/effort.js';
import { exploreAll } from '../fixtures/interleaving/explore.js';
import { Interleaving, type Scenario } from '../fixtures/interleaving/interleaving.js';
import { bugs, scenarios } from '../fixtures/interleaving/scenarios.js';

/** Each planted bug is found out by some schedule: what interleavings.test.ts does not find is not there by accident. */
const LIMIT = 60_000;
/** Those that need most schedules: for the long run, which has no time for the others again. */
const SLOW = new Set(['no-version-advance']);
/** The scenario that shows the bug, where it is not oneEach. */
const where: Readonly<Record<string, string>> = { 'changes-not-counted': 'keptNear' };
t.setTimeout(280_000);
process.setMaxListeners(0);

for (const [name, bug] of Object.entries(bugs).filter(([name]) => SLOW.has(name) === LONG)) {
  t.test(`${name} is found out`, async (t) => {
    const interleaving = await Interleaving.of(scenarios[where[name] ?? 'oneEach'] as Scenario, bug);
    t.teardown(() => interleaving.close());
    const { schedules, problems } = exploreAll(interleaving, { preemptions: 1, kills: 1 }, LIMIT);
    t.comment(`after ${schedules} schedules: ${problems[0]}`);
    t.not(problems.length, 0);
  });
}
