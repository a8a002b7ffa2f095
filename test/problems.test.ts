import test from 'ava';
import { contractDocument } from '../src/contract.ts';
import { PROBLEMS } from '../src/problems.ts';
import type { Problem } from '../src/problems.ts';
import { startWithoutDatabase } from './http/shell.ts';

interface Described {
  info: { description: string };
  components: {
    schemas: Record<string, { properties?: { code?: { enum: string[] } } }>;
    examples: Record<string, { value: Problem }>;
  };
}
const { info, components } = contractDocument() as Described;
const codesOf = (schema: string) => components.schemas[schema]?.properties?.code?.enum;

test('the tables of the contract explain every code, as the service does', (t) => {
  const { description } = info;
  const rows = [...description.matchAll(/^\| `(\w+)` \| (\d+) \| (.+) \|$/gm)];
  const inputs = [...description.matchAll(/^\| `([a-z_]+)` \| [a-z][A-Za-z ,]+ \|$/gm)];

  t.deepEqual(
    rows.map(([, code, status, title]) => [code, { status: Number(status), title }]),
    Object.entries(PROBLEMS),
  );
  t.deepEqual(codesOf('Problem'), Object.keys(PROBLEMS));
  t.deepEqual(
    inputs.map(([, code]) => code),
    codesOf('InputProblem'),
  );
});

test('the problems among the examples are of the kinds that there are', (t) => {
  const problems = Object.entries(components.examples).filter(([name]) => name.endsWith('Problem'));

  for (const [name, { value }] of problems) {
    const { type, title, status, code } = value;
    t.deepEqual({ type, title, status }, { type: `/problems#${code}`, ...PROBLEMS[code] }, name);
  }
  const shown: string[] = problems.map(([, { value }]) => value.code);
  t.deepEqual(
    codesOf('Problem')?.filter((code) => !shown.includes(code)),
    // No operation declares these.
    ['method_not_allowed', 'not_acceptable', 'error'],
  );
});

test('the type of a problem leads to a page that has its code', async (t) => {
  const { client } = await startWithoutDatabase(t);

  const { status, headers, text } = await client.get('/problems');

  t.deepEqual([status, headers.get('content-type')], [200, 'text/html; charset=utf-8']);
  const anchors = [...text.matchAll(/<tr id="(\w+)">/g)].map(([, code]) => code);
  t.deepEqual(anchors, codesOf('Problem'));
});
