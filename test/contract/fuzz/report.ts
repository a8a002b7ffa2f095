import os from 'node:os';
import { declaredLinks, findingsOf } from './findings.ts';
import type { Counted, Fuzzed } from './fuzzer.ts';

/** A section for BENCHMARKS.md. */
export function report(runs: Fuzzed[], budget: string): string {
  const [first] = runs;
  const findings = findingsOf(runs);
  const links = declaredLinks();
  const unfollowed = links.filter((link) => runs.every((run) => !run.links[link]));
  return [
    '## Fuzzing',
    '',
    `Schemathesis ${first?.schemathesis_version} on the contract and a live service, seed ${first?.seed}, ${budget}.`,
    '',
    ...table([
      ['run', 'operations', 'cases', 'requests', 'checks', 'links followed', 'seconds', 'findings'],
      ...runs.map((run) => [
        run.name,
        `${run.operations.tested}`,
        number(run.test_cases.generated),
        number(total(run.requests)),
        number(sum(Object.values(run.checks))),
        number(sum(Object.values(run.links))),
        run.running_time.toFixed(0),
        String(run.failures.length + run.errors.length),
      ]),
    ]),
    '',
    `Of the ${links.length} links in the contract, ${links.length - unfollowed.length} were followed to an answer that is no refusal.`,
    '',
    'Requests by phase, and how many of them were taken (2xx), refused for their credentials (401) or otherwise:',
    '',
    ...table([
      ['phase', 'requests', '2xx', '401', 'other 4xx', '5xx'],
      ...by(runs, ({ phase }) => phase).map(([phase, counted]) => [phase, ...shares(counted)]),
    ]),
    '',
    ...table([
      ['operation', 'requests', '2xx', '401', 'other 4xx', '5xx'],
      ...by(runs, ({ operation }) => operation).map(([name, counted]) => [
        name === 'other methods' ? name : `\`${name}\``,
        ...shares(counted),
      ]),
    ]),
    '',
    findings.length === 0 ? 'Nothing was found.' : ['Found:', '', ...findings.map(item)].join('\n'),
    '',
    machine(),
  ].join('\n');
}

const item = (text: string): string => `- ${text}`;
const number = (value: number): string => value.toLocaleString('en');
const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
const total = (counted: Counted[]): number => sum(counted.map(({ count }) => count));

function by(runs: Fuzzed[], keyOf: (counted: Counted) => string): [string, Counted[]][] {
  const counted = runs.flatMap(({ requests }) => requests);
  return [...Map.groupBy(counted, keyOf)].toSorted(([a], [b]) => a.localeCompare(b));
}

function shares(counted: Counted[]): string[] {
  const all = total(counted);
  const share = (belongs: (status: number) => boolean): string => {
    const part = total(counted.filter(({ status }) => belongs(status)));
    return part === 0 ? '' : `${((100 * part) / all).toFixed(0)}%`;
  };
  return [
    number(all),
    share((status) => status < 300),
    share((status) => status === 401),
    share((status) => status >= 300 && status < 500 && status !== 401),
    share((status) => status >= 500),
  ];
}

function table(rows: string[][]): string[] {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [titles = '', ...body] = rows.map(line);
  return [titles, line(widths.map((width) => '-'.repeat(width))), ...body];
}

function machine(): string {
  const cores = os.cpus();
  const day = new Date().toISOString().slice(0, 10);
  return `${day}: ${cores[0]?.model.trim() ?? os.machine()}, ${cores.length} cores; Node ${process.versions.node}.`;
}
