import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { compare, problemsOf } from '../../src/commands/contract-diff.ts';
import type { Report } from '../../src/commands/contract-diff.ts';

interface Schema {
  required?: string[];
  enum?: string[];
  maxLength?: number;
  properties: Record<string, Partial<Schema> & { type?: string }>;
}
interface Contract {
  info: { version: string };
  paths: Record<string, Record<string, Record<string, unknown>>>;
  components: { schemas: Record<'ProductInput' | 'Product' | 'Jwk', Schema> };
}
type Edit = (contract: Contract) => void;

const RELEASED = new URL('../../generated/released/0.1.0.json', import.meta.url);
const LOG = '# Changelog\n\n## [Unreleased]\n\n';

/** What Redocly says of the first release as these edits make it. */
async function reportOn(t: ExecutionContext, ...edits: Edit[]): Promise<Report> {
  const contract: Contract = JSON.parse(readFileSync(RELEASED, 'utf8'));
  for (const edit of edits) edit(contract);
  const directory = mkdtempSync(path.join(tmpdir(), 'contract-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'contract.json');
  writeFileSync(file, JSON.stringify(contract, null, 2));
  return compare(RELEASED.pathname, file);
}

const as = (revision: string, report: Report): Report => ({
  ...report,
  infoVersions: { base: '0.1.0', revision },
});

const removeOperation: Edit = ({ paths }) => delete paths['/products/{id}/']?.delete;
const removePath: Edit = ({ paths }) => delete paths['/auth/token/rotate/'];
const requireField: Edit = ({ components }) => {
  components.schemas.ProductInput.required?.push('stock');
};
const requireNewField: Edit = ({ components }) => {
  const { properties, required } = components.schemas.ProductInput;
  properties.colour = { type: 'string' };
  required?.push('colour');
};
const removeProperty: Edit = ({ components }) => {
  const schema = components.schemas.Product;
  delete schema.properties.owner;
  schema.required = schema.required?.filter((name) => name !== 'owner') ?? [];
};
const widenEnum: Edit = ({ components }) =>
  components.schemas.Jwk.properties.kty?.enum?.push('OKP');
const narrowField: Edit = ({ components }) => {
  components.schemas.ProductInput.properties.name = { type: 'string', maxLength: 100 };
};

const BREAKING: [what: string, edit: Edit, told: RegExp][] = [
  ['a removed operation', removeOperation, /^breaks clients: DELETE \/products\/\{id\}\/ removed/],
  ['a removed path', removePath, /^breaks clients: \/auth\/token\/rotate\/ removed/],
  ['a field that becomes required', requireField, /became required: `stock`/],
  ['a new field that is required', requireNewField, /became required: .*`colour`/],
  ['a property that answers no longer have', removeProperty, /`owner` of `Product` was removed/],
  ['another value of an answer', widenEnum, /Enum of `kty` gained values: 'OKP'/],
  ['a shorter text in a request', narrowField, /`maxLength` of `name` changed from '200' to '100'/],
];

test('what breaks clients needs another major version', async (t) => {
  const report = await reportOn(t, ...BREAKING.map(([, edit]) => edit));
  const log = `${LOG}\`colour\``;

  for (const version of ['0.1.0', '0.1.1', '0.2.0']) {
    const problems = problemsOf(as(version, report), log, []);
    for (const [what, , told] of BREAKING)
      t.true(
        problems.some((problem) => told.test(problem)),
        `${version}: ${what}`,
      );
  }
  t.deepEqual(problemsOf(as('1.0.0', report), log, []), []);
});

const add: Edit = ({ paths, components }) => {
  const list = paths['/products/']?.get ?? {};
  paths['/shelves/'] = { get: { ...list, operationId: 'listShelves' } };
  paths['/products/{id}/'] = {
    ...paths['/products/{id}/'],
    head: { ...list, operationId: 'look' },
  };
  list.parameters = [list.parameters, { name: 'colour', in: 'query', schema: {} }].flat();
  list.responses = { ...Object(list.responses), '418': { description: 'A teapot.' } };
  components.schemas.Product.properties.shelf = { type: 'string' };
};
const ADDED = ['listShelves', 'look', 'colour', '418', 'shelf'];

test('additions need another minor version, and to be named in the log of what is not released', async (t) => {
  const report = await reportOn(t, add);
  const all = `${LOG}${ADDED.map((name) => `\`${name}\``).join()}`;
  const some = `${LOG}- \`look\`, colour\n\n## [0.1.0] - 2026-11-23\n\n- \`listShelves\`\n`;

  for (const version of ['0.1.0', '0.1.7'])
    t.deepEqual(problemsOf(as(version, report), all, []), [
      `adds to 0.1.0, but info.version is ${version}`,
    ]);
  for (const version of ['0.2.0', '0.10.0', '1.0.0'])
    t.deepEqual(problemsOf(as(version, report), all, []), []);
  const names = problemsOf(as('0.2.0', report), some, []).map(
    (problem) => /does not name `(\w+)`: /.exec(problem)?.[1],
  );
  t.deepEqual(names.toSorted(), ['418', 'colour', 'listShelves', 'shelf']);
});

test('what stays as it was needs neither a version nor a line', async (t) => {
  t.deepEqual(problemsOf(await reportOn(t), '', []), []);
});

test('a change that is said to be harmless passes, and what is allowed for nothing does not', async (t) => {
  const report = await reportOn(t, narrowField, requireField);
  const name = /^POST \/products\/ requestBody\/.*\/name maxLength modified: /;
  const price = /\/price maxLength modified: /;
  const harmless = [name, price].map((change) => ({ change, reason: 'It never had more.' }));

  t.deepEqual(problemsOf(as('0.1.1', report), LOG, harmless), [
    'breaks clients: POST /products/ requestBody/content/application/json/schema required modified: ' +
      'Properties of `ProductInput` became required: `stock`.',
    `is allowed for nothing: ${price.source}`,
  ]);
});

test('the package has the version of the contract', (t) => {
  const read = (name: string) =>
    JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'));

  t.is(read('package.json').version, read('generated/openapi.json').info.version);
});
