import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { contractDocument } from '../src/contract.ts';
import { pointerPart } from '../src/http/contract-check.ts';
import type { Answer } from './support/client.ts';
import { contractBreaches, errorsOf } from './support/contract.ts';

const ROOT = path.join(import.meta.dirname, '..');
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

interface Example {
  $ref?: string;
  value?: unknown;
}
interface Media {
  examples?: Record<string, Example>;
}
interface Header {
  $ref?: string;
  schema?: { enum?: string[] };
}
interface Part {
  $ref?: string;
  content?: Record<string, Media>;
  headers?: Record<string, Header>;
}
interface Operation {
  operationId: string;
  security?: unknown[];
  'x-permissions'?: string[];
  requestBody?: Part;
  responses: Record<string, Part>;
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
  const written = readFileSync(path.join(ROOT, 'openapi.yaml'), 'utf8');
  const methods = written.match(/^ {4}(get|post|put|patch|delete):$/gm) ?? [];
  t.is(operations(document).length, methods.length);
});

test('every response has an example, and every refusal a named one for each error', (t) => {
  for (const { operationId, responses } of operations(document))
    for (const [status, response] of Object.entries(responses))
      for (const { examples = {} } of Object.values(resolve(response).content ?? {}))
        t.true(Object.keys(examples).length > 0, `${operationId} ${status}`);
});

/** Bodies and answers of all operations, with their places in the document. */
const parts = Object.entries(document.paths).flatMap(([template, item]) =>
  METHODS.flatMap((method) => {
    const { requestBody, responses } = item[method] ?? {};
    const place = `/paths/${pointerPart(template)}/${method}`;
    return [
      { part: requestBody, pointer: `${place}/requestBody` },
      ...Object.entries(responses ?? {}).map(([status, part]) => {
        return { part, pointer: `${place}/responses/${status}` };
      }),
    ];
  }),
);

test('every example fits its schema, and holds nothing beside it', (t) => {
  const errors: string[] = [];
  let checked = 0;

  for (const { part = {}, pointer } of parts) {
    const place = part.$ref?.slice(1) ?? pointer;
    for (const [type, { examples = {} }] of Object.entries(resolve(part).content ?? {}))
      for (const [name, example] of Object.entries(examples)) {
        const schema = `${place}/content/${pointerPart(type)}/schema`;
        const found = errorsOf(resolve(example).value, schema);
        errors.push(...found.map((error) => `${pointer} ${name}: ${error}`));
        checked += 1;
      }
  }

  t.deepEqual(errors, []);
  t.true(checked > 300, `${checked} examples`);
});

test('every answer is named, and every refusal but of the media type can be had as a problem', (t) => {
  for (const { operationId, responses } of operations(document))
    for (const [status, response] of Object.entries(responses)) {
      const { headers = {}, content = {} } = resolve(response);
      const types = Object.keys(content).join();
      const place = `${operationId} ${status}`;
      t.deepEqual(headers['X-Request-Id'], { $ref: '#/components/headers/RequestId' }, place);
      if (status >= '400' && status !== '406')
        t.is(types, 'application/json,application/problem+json', place);
      else t.true(['', 'application/json'].includes(types), place);
    }
});

test('no schema is made of others, so that what it does not name can be refused', (t) => {
  t.notRegex(JSON.stringify(document), /"(allOf|anyOf|oneOf|not|if|discriminator)":/);
});

test('the answers with tokens or about them are for no cache, and the list of public keys is for any', (t) => {
  const found = operations(document).flatMap(({ operationId, responses }) =>
    Object.entries(responses).flatMap(([status, response]) =>
      Object.entries(resolve(response).headers ?? {}).flatMap(([name, header]) => {
        const values = resolve(header).schema?.enum;
        return values ? [`${operationId} ${status} ${name}: ${values.join(' or ')}`] : [];
      }),
    ),
  );

  t.deepEqual(found, [
    'obtainAuthToken 200 Cache-Control: no-store',
    'rotateAuthToken 200 Cache-Control: no-store',
    'login 200 Cache-Control: no-store',
    'refreshToken 200 Cache-Control: no-store',
    'obtainSlidingToken 200 Cache-Control: no-store',
    'refreshSlidingToken 200 Cache-Control: no-store',
    'introspectToken 200 Cache-Control: no-store',
    'getJwks 200 Cache-Control: public, max-age=300',
  ]);
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

function resolve<Value extends { $ref?: string }>(value: Value): Value {
  if (value.$ref === undefined) return value;
  const keys = value.$ref.split('/').slice(1);
  const found = keys.reduce<unknown>(
    (node, key) => (node as Record<string, unknown>)[key],
    document,
  );
  return resolve(found as Value);
}

const NAMED = { 'X-Request-Id': 'a-1' };
const JSON_TYPE = { 'Content-Type': 'application/json', ...NAMED };
const PROBLEM_TYPE = { 'Content-Type': 'application/problem+json', ...NAMED };
const NO_STORE = { 'Cache-Control': 'no-store', ...JSON_TYPE };
const CHALLENGE = { 'WWW-Authenticate': 'Token', ...JSON_TYPE };
const RETRY = { 'Retry-After': '1', ...JSON_TYPE };
const undeclared = (name: string): string => `data must NOT have additional properties: ${name}`;
const detail = { detail: 'No.' };
const problem = {
  type: '/problems#service_unavailable',
  title: 'No',
  status: 503,
  detail: 'No.',
  code: 'service_unavailable',
  request_id: 'a-1',
};
const pair = { refresh: 'a.b.c', access: 'a.b.c' };

type Checked = [
  request: string,
  status: number,
  headers: Record<string, string>,
  body: unknown,
  breaches: string[],
];

const ANSWERS: Checked[] = [
  ['POST /login/', 200, NO_STORE, pair, []],
  ['POST /login/', 200, NO_STORE, { ...pair, user_id: 1 }, [undeclared('user_id')]],
  [
    'POST /login/',
    200,
    NO_STORE,
    { access: 'a.b.c' },
    ["data must have required property 'refresh'"],
  ],
  ['POST /login/', 200, JSON_TYPE, pair, ['Cache-Control is missing']],
  [
    'POST /login/',
    200,
    { ...NO_STORE, 'Cache-Control': 'private' },
    pair,
    ['Cache-Control: data must be equal to one of the allowed values'],
  ],
  [
    'POST /login/',
    200,
    { 'Cache-Control': 'no-store', ...NAMED },
    pair,
    ['the content type is null'],
  ],
  ['POST /login/', 200, NO_STORE, undefined, ['the body is no JSON']],
  ['POST /login/', 201, NO_STORE, pair, ['login does not declare 201']],
  ['POST /login/', 500, JSON_TYPE, detail, ['login does not declare 500']],
  ['POST /login/', 405, JSON_TYPE, detail, ['login does not declare 405']],
  ['POST /login/', 400, JSON_TYPE, { username: ['No.'], any: ['No.'] }, []],
  ['POST /login/', 400, JSON_TYPE, { username: 'No.' }, ['data/username must be array']],
  ['POST /verify_token/', 200, JSON_TYPE, {}, []],
  ['POST /verify_token/', 200, JSON_TYPE, { valid: true }, [undeclared('valid')]],
  ['GET /products/?a=b', 401, CHALLENGE, detail, []],
  ['GET /products/', 401, JSON_TYPE, detail, ['WWW-Authenticate is missing']],
  ['GET /products/', 401, CHALLENGE, { ...detail, stack: 'at' }, [undeclared('stack')]],
  ['GET /products/', 503, RETRY, detail, []],
  ['GET /products/', 503, { ...RETRY, ...PROBLEM_TYPE }, problem, []],
  [
    'GET /products/',
    503,
    { ...RETRY, ...PROBLEM_TYPE },
    { ...problem, code: 'ill' },
    ['data/code must be equal to one of the allowed values'],
  ],
  ['GET /products/', 406, PROBLEM_TYPE, problem, ['the content type is application/problem+json']],
  [
    'GET /products/',
    503,
    { ...RETRY, 'X-Request-Id': 'a b' },
    detail,
    ['X-Request-Id: data must match pattern "^[A-Za-z0-9._-]+$"'],
  ],
  [
    'GET /products/',
    503,
    { ...RETRY, 'Retry-After': '-1' },
    detail,
    ['Retry-After: data must be >= 0'],
  ],
  ['DELETE /products/7/', 204, NAMED, undefined, []],
  ['DELETE /products/7/', 204, {}, undefined, ['X-Request-Id is missing']],
  ['DELETE /products/7/', 204, JSON_TYPE, {}, ['a body where none is declared']],
  ['HEAD /products/7/', 404, JSON_TYPE, undefined, []],
  ['HEAD /products/7/', 418, JSON_TYPE, undefined, ['retrieveProduct does not declare 418']],
  ['GET /products', 308, {}, undefined, []],
  ['GET /products', 200, JSON_TYPE, {}, ['200 where 308 is due']],
  ['OPTIONS /products/', 204, {}, undefined, []],
  ['POST /products/7/', 405, { Allow: 'GET', ...JSON_TYPE }, detail, []],
  ['POST /products/7/', 405, JSON_TYPE, detail, ['Allow is missing']],
  ['POST /products/7/', 401, CHALLENGE, detail, []],
  ['POST /products/7/', 401, JSON_TYPE, detail, ['WWW-Authenticate is missing']],
  ['POST /products/7/', 200, JSON_TYPE, {}, ['200 where 405 is due']],
  ['POST /products/7/', 500, JSON_TYPE, detail, ['retrieveProduct does not declare 500']],
  ['GET /healthz', 500, {}, 'anything', []],
];

for (const [request, status, headers, body, breaches] of ANSWERS)
  test(`${request} with ${status}, ${JSON.stringify([headers, body])}: ${breaches.join() || 'fits'}`, (t) => {
    const [method = '', target = ''] = request.split(' ');
    const text = body === undefined ? '' : JSON.stringify(body);
    const answer: Answer = { status, headers: new Headers(headers), body, text };

    t.deepEqual(contractBreaches(method, target, answer), breaches);
  });
