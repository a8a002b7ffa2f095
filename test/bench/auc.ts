export interface Auc {
  /** How often a value of the first sample is above one of the second; a tie counts half. */
  value: number;
  /** The bounds of the 95 % confidence interval, after DeLong, DeLong and Clarke-Pearson (1988). */
  low: number;
  high: number;
}

const Z_95 = 1.96;

/** The area under the ROC curve of two samples (Mann-Whitney's U, divided by the number of pairs): 0.5 tells nothing. */
export function aucOf(sample: readonly number[], other: readonly number[]): Auc {
  const placements = sample.map((value) => shareBelow(value, other));
  const opposite = other.map((value) => shareBelow(value, sample));
  const value = mean(placements);
  const error = Math.sqrt(variance(placements) / sample.length + variance(opposite) / other.length);
  return { value, low: value - Z_95 * error, high: value + Z_95 * error };
}

function shareBelow(value: number, sample: readonly number[]): number {
  let below = 0;
  for (const other of sample) below += value > other ? 1 : value === other ? 0.5 : 0;
  return below / sample.length;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function variance(values: readonly number[]): number {
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
}
