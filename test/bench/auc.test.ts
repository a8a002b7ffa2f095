import test from 'ava';
import { aucOf } from './auc.ts';

test('the area is the share of pairs in which the first is above, ties counting half', (t) => {
  for (const [sample, other, expected] of [
    [[3, 4], [1, 2], 1],
    [[1, 2], [3, 4], 0],
    [[1, 2], [1, 2], 0.5],
    [[1, 3], [2, 2], 0.5],
    [[2, 3, 4], [1, 2, 3], 7 / 9],
  ] as const)
    t.is(aucOf(sample, other).value, expected, `${sample} against ${other}`);
});

test('the interval is as wide as that of the Mann-Whitney test where nothing differs', (t) => {
  const count = 500;
  // The same numbers in another order.
  const sample = Array.from({ length: count }, (_, index) => (index * 7) % count);

  const { value, low, high } = aucOf(sample, sample.toReversed());

  t.true(Math.abs(value - 0.5) < 1e-9);
  const expected = 1.96 * Math.sqrt((2 * count + 1) / (12 * count * count));
  t.true(Math.abs(high - value - expected) < 0.001, `${high - value} is not ${expected}`);
  t.true(Math.abs(value - low - expected) < 0.001);
});
