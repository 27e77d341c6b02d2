/** The sketch of frequencies: never too low before ageing, seldom too high, and its sum is that of its counters. */
import t from 'tap';
import type { PolicyMemory } from '../../src/policy/policy.js';
import { Sketch } from '../../src/policy/sketch.js';
import { hashOf } from '../fixtures/policy-table.js';

const SEED = Number(process.env.SEED ?? Date.now() % 1e9);
const ENTRIES = 1000;
/** The first three words are the sum of all counters, the hand that halves them, and the accesses remembered. */
const HEAD_WORDS = 3;
const MEMORY = 15;
t.comment(`SEED=${SEED}`);

function makeSketch(): { sketch: Sketch; words: Int32Array } {
  const words = new Int32Array(Sketch.words(ENTRIES));
  const memory: Pick<PolicyMemory, 'words' | 'capacityEntries'> = { words, capacityEntries: ENTRIES };
  return { sketch: new Sketch(memory as PolicyMemory, 0), words };
}

function countersOf(words: Int32Array): number[] {
  return [...words.subarray(HEAD_WORDS)].flatMap((word) =>
    Array.from({ length: 8 }, (_, i) => (word >>> (4 * i)) & 15),
  );
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0);

t.test('counts each key, up to 15', async (t) => {
  const { sketch } = makeSketch();
  for (let uses = 1; uses <= 20; uses++) {
    sketch.add(hashOf(1, SEED));
    t.equal(sketch.frequency(hashOf(1, SEED)), Math.min(uses, 15));
  }
});

t.test('is never too low, and for one key in twelve at most too high, when five keys an entry were used', async (t) => {
  const { sketch } = makeSketch();
  const uses = (key: number): number => 1 + (key % 3);
  const keys = Array.from({ length: 5 * ENTRIES }, (_, key) => key);
  for (let round = 1; round <= 3; round++) {
    for (const key of keys) if (uses(key) >= round) sketch.add(hashOf(key, SEED));
  }
  const errors = keys.map((key) => sketch.frequency(hashOf(key, SEED)) - uses(key));
  t.equal(errors.filter((error) => error < 0).length, 0);
  const tooHigh = errors.filter((error) => error > 0).length;
  t.comment(`${tooHigh} of ${keys.length} too high`);
  t.ok(tooHigh <= keys.length / 12, `${tooHigh} too high`);
});

t.test('ageing keeps the accesses remembered in bounds and the sum equal to that of the counters', async (t) => {
  const { sketch, words } = makeSketch();
  let most = 0;
  for (let i = 0; i < 100 * ENTRIES; i++) {
    sketch.add(hashOf(i % (7 * ENTRIES), SEED));
    most = Math.max(most, words[2]);
    if (i % (10 * ENTRIES) === 0) t.equal(words[0], sumOf(countersOf(words)), `after ${i}`);
  }
  // Halving a word of zeros takes nothing off: some of those in a row may let it rise by a few.
  t.ok(most >= MEMORY * ENTRIES && most <= MEMORY * ENTRIES + 16, `${most}`);
  t.ok(words[1] > 0, 'something was halved');
});
