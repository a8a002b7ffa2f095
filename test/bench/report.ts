import os from 'node:os';
import type { Figure, Finding, Outcome } from './figure.ts';
import { postgresVersion } from './postgres.ts';

export interface Scale {
  rounds: number;
  /** Empty: all. */
  parts: readonly string[];
  seconds: number;
}

/** A section for BENCHMARKS.md. */
export function report(figure: Figure, outcome: Outcome, scale: Scale): string {
  const { findings, tables, notes = [], chart } = outcome;
  return [
    `## ${figure.name}`,
    '',
    `${figure.summary}.`,
    '',
    `${scaleOf(figure, scale)}, ${scale.seconds.toFixed(0)} s; ${figure.conditions}.`,
    '',
    ...(chart ? [`![${chart.title}](${chartFileOf(figure)})`, ''] : []),
    ...(findings.length > 0 ? [...findingsTable(findings), ''] : []),
    ...tables.flatMap(({ title, head, rows }) => [
      `### ${title}`,
      '',
      ...table([head, ...rows]),
      '',
    ]),
    ...notes.flatMap((note) => [note, '']),
    machine(),
  ].join('\n');
}

/** The name of a figure's chart, beside the report. */
export const chartFileOf = ({ chartFile = 'BENCHMARKS.svg' }: Figure): string => chartFile;

function scaleOf(figure: Figure, { rounds, parts }: Scale): string {
  const { roundsAre = 'rounds' } = figure;
  if (rounds === figure.rounds && parts.length === 0)
    return `${rounds.toLocaleString('en')} ${roundsAre}`;
  const part = parts.length > 0 ? `, ${parts.join(', ')} alone` : '';
  return `scaled down, not for publishing: ${rounds} of ${figure.rounds} ${roundsAre}${part}`;
}

function findingsTable(findings: readonly Finding[]): string[] {
  return table([
    ['what', 'measured', 'goal', 'met'],
    ...findings.map(({ what, value, goal = '', isMet }) => [
      what,
      value,
      goal,
      isMet === undefined ? '' : isMet ? 'yes' : 'NO',
    ]),
  ]);
}

function table(rows: readonly string[][]): string[] {
  const [head = [], ...body] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)];
}

function machine(): string {
  const cores = os.cpus();
  const memory = `${(os.totalmem() / 2 ** 30).toFixed(0)} GiB`;
  const day = new Date().toISOString().slice(0, 10);
  return (
    `${day}: ${cores[0]?.model.trim() ?? os.machine()}, ${cores.length} cores, ${memory}, ` +
    `${os.type()} ${os.release()}; Node ${process.versions.node}, PostgreSQL ${postgresVersion()}.`
  );
}
