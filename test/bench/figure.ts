import type { Scope } from './scope.ts';

/** A number, or a set of them, that is published. */
export interface Figure {
  name: string;
  /** What it shows, in a line. */
  summary: string;
  /** What was running where the numbers come from. */
  conditions: string;
  /** At full scale. */
  rounds: number;
  /** What is counted as a round, where that is not the word. */
  roundsAre?: string;
  /** At full scale, on two cores. */
  expectedSeconds: number;
  /** What can be run by itself. */
  parts?: readonly string[];
  /** Where its chart is published, beside the report. */
  chartFile?: string;
  run: (rounds: number, scope: Scope, parts: readonly string[]) => Promise<Finding[] | Outcome>;
}

/** Findings, and what they come from. */
export interface Outcome {
  findings: Finding[];
  tables: Table[];
  /** A sentence each. */
  notes?: string[];
  chart?: Chart | Plot;
}

export interface Table {
  title: string;
  head: string[];
  rows: string[][];
}

/** Groups of bars, drawn beside the report. */
export interface Chart {
  title: string;
  note: string;
  panels: { title: string; unit: string; bars: Bar[] }[];
}

export interface Bar {
  label: string;
  value: number;
  min: number;
  max: number;
  isOurs: boolean;
}

/** Panels of lines over the same values of x, both axes logarithmic. */
export interface Plot {
  title: string;
  note: string;
  x: number[];
  panels: { title: string; lines: { label: string; values: number[] }[] }[];
}

export interface Finding {
  what: string;
  value: string;
  goal?: string;
  isMet?: boolean;
  /** It depends on what else the machine does. */
  ofMachine?: true;
}

/** A number without a goal. */
export function measured(what: string, value: number, unit = ''): Finding {
  return { what, value: written(value, unit) };
}

export function exactly(what: string, value: number, goal: number, unit = ''): Finding {
  return { what, value: written(value, unit), goal: written(goal, unit), isMet: value === goal };
}

/** What has to have happened for the rest to mean anything. */
export function atLeast(what: string, value: number, least: number): Finding {
  return {
    what,
    value: written(value, ''),
    goal: `≥ ${written(least, '')}`,
    isMet: value >= least,
  };
}

export function below(what: string, value: number, limit: number, unit: string): Finding {
  const goal = `< ${written(limit, unit)}`;
  return { what, value: written(value, unit), goal, isMet: value < limit, ofMachine: true };
}

export interface Spread {
  median: number;
  min: number;
  max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return {
    median: percentile(values, 0.5),
    min: Math.min(...values),
    max: Math.max(...values),
  };
}

/** How many times something else it was, in each round; the median is held against the goal. */
export function times(what: string, ratios: readonly number[], least: number): Finding {
  const { median, min, max } = spreadOf(ratios);
  const [middle, low, high] = [median, min, max].map((ratio) => ratio.toFixed(2));
  return {
    what,
    value: `${middle} (${low} to ${high})`,
    goal: `≥ ${least}`,
    isMet: median >= least,
  };
}

/** What could not be measured here. */
export function skipped(what: string, goal: string): Finding {
  return { what, value: 'skipped', goal };
}

function written(value: number, unit: string): string {
  if (!Number.isFinite(value)) return 'never';
  const digits = Math.abs(value) < 10 ? 3 : 1;
  const text = value.toLocaleString('en', { maximumFractionDigits: digits });
  return unit === '' ? text : `${text} ${unit}`;
}

/** The smallest of the values that `share` of them do not exceed; 0.5 is the median. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
