import t from 'tap';
import { durationMs, type Effort, fitEffort } from '../../bench/harness/effort.js';

const wanted: Effort = { rounds: 5, roundMs: 200, warmupMs: 300, seed: 1 };
const ADAPTERS = 9;

t.test('with time enough nothing is shortened', async (t) => {
  t.equal(fitEffort(wanted, ADAPTERS, 60_000), wanted);
  t.equal(fitEffort(wanted, ADAPTERS, Number.POSITIVE_INFINITY), wanted);
});

t.test('with less, rounds get shorter before they get fewer, and it fits', async (t) => {
  for (let availableMs = 12_000; availableMs > 3_000; availableMs -= 500) {
    const fitted = fitEffort(wanted, ADAPTERS, availableMs);
    t.ok(durationMs(fitted, ADAPTERS) <= availableMs, `${availableMs} ms: ${JSON.stringify(fitted)}`);
    t.ok(fitted.rounds === wanted.rounds || fitted.warmupMs === 100);
    t.ok(fitted.roundMs < wanted.roundMs && fitted.roundMs >= 50 && fitted.rounds >= 3);
  }
});

t.test('with none left, the least that says something', async (t) => {
  t.same(fitEffort(wanted, ADAPTERS, -1_000), { rounds: 3, roundMs: 50, warmupMs: 100, seed: 1 });
});

t.test('never more than was asked for', async (t) => {
  const little = { rounds: 1, roundMs: 5, warmupMs: 10, seed: 1 };
  t.same(fitEffort(little, ADAPTERS, 0), little);
});
