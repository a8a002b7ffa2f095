import os from 'node:os';
import type { Figure, Finding } from './figure.ts';
import { postgresVersion } from './postgres.ts';

/** A section for BENCHMARKS.md. */
export function report(
  figure: Figure,
  findings: Finding[],
  { rounds, seconds }: { rounds: number; seconds: number },
): string {
  const scale =
    rounds === figure.rounds
      ? `${rounds.toLocaleString('en')} rounds`
      : `scaled down, not for publishing: ${rounds} of ${figure.rounds} rounds`;
  return [
    `## ${figure.name}`,
    '',
    `${figure.summary}.`,
    '',
    `${scale}, ${seconds.toFixed(0)} s; ${figure.conditions}.`,
    '',
    ...table(findings),
    '',
    machine(),
  ].join('\n');
}

function table(findings: Finding[]): string[] {
  const rows = [
    ['what', 'measured', 'goal', 'met'],
    ...findings.map(({ what, value, goal = '', isMet }) => [
      what,
      value,
      goal,
      isMet === undefined ? '' : isMet ? 'yes' : 'NO',
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
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
