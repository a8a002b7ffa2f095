import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { format } from 'prettier';

const FILE = path.join(import.meta.dirname, 'results.json');
const README = path.join(import.meta.dirname, '../../README.md');

export interface Result {
  language: string;
  generator: string;
  /** For how many operations of the contract there is code. */
  operations: string;
  compiles: boolean;
  /** How many steps of how many its program passes. */
  service: string;
  mock: string;
  note?: string;
  /** The first run that found it so. */
  since: string;
}
export type Results = Record<string, Result>;

/** A result while it is found. */
export type Found = Omit<Result, 'since' | Walk> & Record<Walk, string | undefined>;
type Walk = 'service' | 'mock';

export const readResults = (): Results => JSON.parse(readFileSync(FILE, 'utf8'));
export const readReadme = (): string => readFileSync(README, 'utf8');

/** Keeps what a run has found of the clients that it has gone through with, and says it in the README. */
export async function writeResults(found: Record<string, Found>): Promise<void> {
  const results = readResults();
  const today = new Date().toISOString().slice(0, 10);
  for (const [client, result] of Object.entries(found)) {
    if (!isComplete(result)) continue;
    const { since = today, ...known } = results[client] ?? {};
    results[client] = { ...result, since: isDeepStrictEqual(known, result) ? since : today };
  }
  writeFileSync(FILE, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(README, await withTable(readReadme(), results));
}

const isComplete = (found: Found): found is Found & Record<Walk, string> =>
  found.service !== undefined && found.mock !== undefined;

/** The README with the table that the results make. */
export async function withTable(readme: string, results: Results): Promise<string> {
  const rows = Object.values(results).map(
    ({ language, generator, operations, compiles, service, mock, since, note = '' }) =>
      `| ${[language, generator, operations, compiles ? 'yes' : 'no', service, mock, since, note].join(' | ')} |`,
  );
  const table = await format(
    [
      '| language | generator | operations | compiles | steps at the service | at the mock | since | to know |',
      '| --- | --- | --- | --- | --- | --- | --- | --- |',
      ...rows,
    ].join('\n'),
    { parser: 'markdown' },
  );
  return readme.replace(
    /(<!-- clients -->\n)[^]*?(<!-- \/clients -->)/,
    (_, start: string, end: string) => `${start}\n${table}\n${end}`,
  );
}
