/** The shared part of adaptive: it never waits, believes nothing a dead thread left, and survives any words. */

import t from 'tap';
import { policies } from '../../src/policy/index.js';
import { LEADS, LED, SELECTED } from '../../src/policy/selector.js';
import { PolicyTable } from '../fixtures/policy-table.js';
import { wholeNumbers } from '../fixtures/random.js';

const SEED = Number(process.env.SEED ?? Date.now() % 1e9);
const ENTRIES = 200;
t.comment(`SEED=${SEED}`);

const makeTable = (): PolicyTable => new PolicyTable(policies.adaptive, { entries: ENTRIES, seed: SEED });

/** Every key three times in a row and never again: a load for which no configuration that waits for frequency is good. */
function recent(table: PolicyTable, requests: number, first = 0): void {
  for (let i = first; i < first + requests; i++) table.access(Math.floor(i / 60) * 20 + (i % 20));
}

t.test('chooses another configuration when the load asks for it', async (t) => {
  const table = makeTable();
  const before = table.shared.words[SELECTED];
  recent(table, 40_000);
  t.not(table.shared.words[SELECTED], before);
});

t.test('a lead has to last, and evidence counts anew after a change', async (t) => {
  // A choice is made every 125 requests here, and a lead has to last for 2048.
  const table = new PolicyTable(policies.adaptive, { entries: 1000, seed: SEED });
  const { words } = table.shared;
  const before = words[SELECTED];
  let longestLead = 0;
  for (let i = 0; i < 40_000 && words[SELECTED] === before; i++) {
    recent(table, 1, i);
    longestLead = Math.max(longestLead, words[LED]);
  }
  t.not(words[SELECTED], before);
  t.equal(longestLead, Math.ceil(2048 / 125) - 1);
  t.same([...words.slice(LEADS, LEADS + 8)], [0, 0, 0, 0, 0, 0, 0, 0]);
});

t.test('with the lock busy it goes on unchanged and keeps nothing back for ever', async (t) => {
  const table = makeTable();
  table.shared.outcome = 'busy';
  recent(table, 40_000);
  t.ok(table.shared.words.every((word) => word === 0));
  t.same(table.problems(), []);
});

t.test('what a dead thread left is thrown away, the choice stays', async (t) => {
  const table = makeTable();
  recent(table, 40_000);
  const chosen = table.shared.words[SELECTED];
  table.shared.words.fill(0x55555555, 16);
  table.shared.outcome = 'stolen';
  recent(table, 200);
  t.equal(table.shared.words[SELECTED], chosen);
  table.shared.outcome = 'locked';
  recent(table, 4000);
  t.same(table.problems(), []);
});

t.test('random words in the shared area neither throw nor hang', async (t) => {
  const random = wholeNumbers(SEED);
  const next = (): number => random(2 ** 32);
  for (let round = 0; round < 50; round++) {
    const table = makeTable();
    recent(table, 500);
    const { words } = table.shared;
    for (let n = 0; n < 200; n++) words[next() % words.length] = next() >>> (next() % 32);
    recent(table, 2000);
    t.same(table.problems(), [], `round ${round}`);
  }
});
