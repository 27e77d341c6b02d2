import { build } from 'hdr-histogram-js';
import t from 'tap';
import { CELLS, cellOf, highestOf, lowestOf, MAX_NS, SIGNIFICANT_DIGITS } from '../../src/monitor/buckets.js';

const histogram = build({
  bitBucketSize: 64,
  autoResize: false,
  lowestDiscernibleValue: 1,
  highestTrackableValue: MAX_NS,
  numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
}) as unknown as { countsArrayLength: number; countsArrayIndex(value: number): number };

t.test('cells are those of hdr-histogram-js', async (t) => {
  t.equal(CELLS, histogram.countsArrayLength);
  let checked = 0;
  const check = (ns: number): void => {
    checked++;
    if (cellOf(ns) !== histogram.countsArrayIndex(ns)) t.equal(cellOf(ns), histogram.countsArrayIndex(ns), `${ns} ns`);
  };
  for (let ns = 0; ns < 100_000; ns++) check(ns);
  for (let cell = 0; cell < CELLS; cell++) {
    check(lowestOf(cell));
    check(highestOf(cell));
    if (cellOf(lowestOf(cell)) !== cell || cellOf(highestOf(cell)) !== cell)
      t.fail(`cell ${cell} does not hold its ends`);
  }
  t.equal(highestOf(CELLS - 1), MAX_NS);
  t.pass(`${checked} values`);
});
