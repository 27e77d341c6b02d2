import t from 'tap';
import { quantile, spread } from '../../bench/stats.js';

t.test('quantiles lie on straight lines between the sorted numbers', async (t) => {
  t.equal(quantile([4, 1, 3, 2], 0.5), 2.5);
  t.equal(quantile([5], 0.99), 5);
  t.equal(quantile([0, 10], 0.9), 9);
  t.ok(Number.isNaN(quantile([], 0.5)));
});

t.test('a spread tells middle, ends and usual distance', async (t) => {
  t.same(spread([10, 1, 2, 3, 4]), { median: 3, min: 1, max: 10, mad: 1 });
});

t.test('the numbers given are left in their order', async (t) => {
  const values = [3, 1, 2];
  quantile(values, 0.5);
  t.same(values, [3, 1, 2]);
});
