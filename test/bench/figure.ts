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
  /** At full scale, on two cores. */
  expectedSeconds: number;
  run: (rounds: number, scope: Scope) => Promise<Finding[]>;
}

export interface Finding {
  what: string;
  value: string;
  goal?: string;
  isMet?: boolean;
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
  return { what, value: written(value, unit), goal, isMet: value < limit };
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
