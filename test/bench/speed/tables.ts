import { spreadOf } from '../figure.ts';
import type { Bar, Table } from '../figure.ts';
import type { Sample } from './lanes.ts';
import { ratiosOf } from './rounds.ts';
import type { LaneResult } from './rounds.ts';
import { LATCHKEY } from './work.ts';
import type { Work } from './work.ts';

const HEAD = ['who', 'requests/s', 'min to max', 'p50', 'p99', 'CPU a request', 'the first is'];

/** Medians of the rounds, in the order of the lanes. */
export function tableOf({ title }: Work, results: readonly LaneResult[]): Table {
  const [first] = results;
  return {
    title,
    head: HEAD,
    rows: results.map((one) => {
      const { median, min, max } = spreadOf(one.samples.map(({ rate }) => rate));
      const ratio = first && first !== one ? spreadOf(ratiosOf(first, one)).median : undefined;
      return [
        one.label,
        count(median),
        `${count(min)} to ${count(max)}`,
        milliseconds(medianOf(one, ({ p50 }) => p50)),
        milliseconds(medianOf(one, ({ p99 }) => p99)),
        microseconds(medianOf(one, ({ cpuMicros }) => cpuMicros)),
        ratio === undefined ? '' : `${ratio.toFixed(2)} x`,
      ];
    }),
  };
}

export function barsOf(results: readonly LaneResult[]): Bar[] {
  return results.map(({ label, samples }) => {
    const { median: value, min, max } = spreadOf(samples.map(({ rate }) => rate));
    return { label, value, min, max, isOurs: label.startsWith(LATCHKEY) };
  });
}

function medianOf(
  { samples }: LaneResult,
  read: (sample: Sample) => number | undefined,
): number | undefined {
  const values = samples.map(read).filter((value) => value !== undefined);
  return values.length > 0 ? spreadOf(values).median : undefined;
}

const count = (value: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 });
const milliseconds = (value: number | undefined): string =>
  value === undefined ? '' : `${value.toFixed(value < 10 ? 2 : 0)} ms`;
const microseconds = (value: number | undefined): string =>
  value === undefined ? '' : `${count(value)} µs`;
