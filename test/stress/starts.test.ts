/**
 * Pools and threads that are ended at random moments of their start, by the thousand with `ROUNDS=`: the process must live
 * through it. Node aborts when a thread is ended while it loads an ES module by require(), hence the control.
 */
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { effort, ONLY_LONG } from '../fixtures/effort.js';
import { plainNode } from '../fixtures/plain-node.js';

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const ROUNDS = effort('ROUNDS', 4, 100);
/** Enough of piscina's own to meet the moment; it takes ten mostly. */
const CONTROL_ROUNDS = 400;

t.comment(`SEED=${SEED}`);
t.setTimeout(120_000 + ROUNDS * 2_000);

const starts = fileURLToPath(new URL('../fixtures/starts.js', import.meta.url));
const run = (name: string, rounds: number): Promise<{ stdout: string; stderr: string }> =>
  plainNode([starts, name, String(SEED), String(rounds)]);

for (const name of ['pools', 'workers', 'creators']) {
  t.test(`${ROUNDS} ${name}`, async (t) => {
    t.equal((await run(name, ROUNDS)).stdout, 'survived\n');
  });
}

// Later versions survive nearly always.
const aborts = ['20', '22'].includes(process.versions.node.split('.')[0] as string);
const control = aborts ? ONLY_LONG : { skip: 'this Node hardly aborts' };

t.test('control: pools whose entry is an ES module', control, async (t) => {
  const { stderr } = await run('plain pools', CONTROL_ROUNDS).catch((error: { stderr: string }) => error);
  t.match(stderr, /FATAL ERROR|Assertion.*failed/);
});
