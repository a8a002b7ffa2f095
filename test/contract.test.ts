import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import test from 'ava';
import { contractDocument } from '../src/contract.ts';

const ROOT = path.join(import.meta.dirname, '..');
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

interface Example {
  $ref?: string;
  value?: unknown;
}
interface Media {
  schema: { $ref?: string };
  examples?: Record<string, Example>;
}
interface Operation {
  operationId: string;
  security?: unknown[];
  'x-permissions'?: string[];
  requestBody?: { $ref?: string; content?: Record<string, Media> };
  responses: Record<string, { $ref?: string; content?: Record<string, Media> }>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
}

const document = contractDocument() as Document & Record<string, unknown>;

const operations = (of: Document): Operation[] =>
  Object.values(of.paths).flatMap((item) => METHODS.flatMap((method) => item[method] ?? []));

test('generated files are what the contract says today', async (t) => {
  const generator = path.join(ROOT, 'src/commands/generate.ts');

  const { stderr } = await promisify(execFile)(process.execPath, [generator, '--check'], {
    cwd: ROOT,
  });

  t.is(stderr, '');
});

test('every operation says who may call it, and by what', (t) => {
  for (const { operationId, security, 'x-permissions': permissions } of operations(document)) {
    t.true(Array.isArray(security), operationId);
    t.true((permissions ?? []).length > 0, operationId);
  }
  t.is(operations(document).length, 12);
});

test('every response has an example, and every refusal a named one for each error', (t) => {
  for (const { operationId, responses } of operations(document))
    for (const [status, response] of Object.entries(responses))
      for (const { examples = {} } of Object.values(resolve(response).content ?? {}))
        t.true(Object.keys(examples).length > 0, `${operationId} ${status}`);
});

test('every example fits its schema', (t) => {
  const ajv = addFormats.default(new Ajv2020({ strict: false }));
  ajv
    .addFormat('decimal', /^-?\d+(\.\d+)?$/)
    .addFormat('password', true)
    .addSchema(document, 'contract');
  let checked = 0;

  for (const { operationId, requestBody, responses } of operations(document))
    for (const part of [requestBody, ...Object.values(responses)])
      for (const { schema, examples = {} } of Object.values((part && resolve(part).content) ?? {}))
        for (const [name, example] of Object.entries(examples)) {
          const validate = ajv.compile(absolute(schema));
          t.true(
            validate(resolve(example).value),
            `${operationId} ${name}: ${ajv.errorsText(validate.errors)}`,
          );
          checked += 1;
        }

  t.true(checked > 300, `${checked} examples`);
});

test('the twin for older tools has the same operations with the same responses', (t) => {
  const twin: Document & { openapi: string } = JSON.parse(
    readFileSync(path.join(ROOT, 'generated/openapi-3.0.json'), 'utf8'),
  );
  const outline = (of: Document): unknown[] =>
    operations(of).map(({ operationId, responses }) => [operationId, Object.keys(responses)]);

  t.is(twin.openapi, '3.0.3');
  t.deepEqual(outline(twin), outline(document));
});

// References inside a compiled schema are looked up in the whole document.
function absolute(schema: unknown): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"contract#/'));
}

function resolve<Value extends { $ref?: string }>(value: Value): Value {
  if (value.$ref === undefined) return value;
  const keys = value.$ref.split('/').slice(1);
  const found = keys.reduce<unknown>(
    (node, key) => (node as Record<string, unknown>)[key],
    document,
  );
  return resolve(found as Value);
}
