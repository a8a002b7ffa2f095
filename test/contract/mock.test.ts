import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { startWithoutDatabase } from '../http/shell.ts';
import { createClient } from '../support/client.ts';
import type { Answer, Client, RequestOptions } from '../support/client.ts';
import { answerExamples } from '../support/examples.ts';
import type { AnswerExample } from '../support/examples.ts';
import { startMock } from '../support/mock.ts';

// One mock for all tests of this file: nothing it is asked changes it.
let base = '';
const stops: (() => unknown)[] = [];
test.before(async () => {
  base = await startMock({ teardown: (stop) => void stops.push(stop) });
});
test.after.always(() => {
  for (const stop of stops) stop();
});

test('the mock answers with every example of the contract, by its code, its name, or both', async (t) => {
  t.timeout(120_000);
  const client = createClient(t, base);
  let checked = 0;

  for (const example of answerExamples)
    for (const prefer of wishesFor(example)) {
      const { operation, type, name } = example;
      const headers = { Prefer: prefer, ...(type !== undefined && { Accept: type }) };
      const answer = await client.request(operation.method, operation.path, { headers });
      t.deepEqual(told(answer, example), shown(example), `${operation.id} ${name}: ${prefer}`);
      checked += 1;
    }

  t.true(checked > 1000, `${checked} wishes`);
});

/** By what an example can be asked for: a name alone is that of the first of its kind. */
function wishesFor(example: AnswerExample): string[] {
  const { operation, type, status, name } = example;
  const others = answerExamples.filter(
    (one) => one.operation === operation && (one.type === type || one.type === undefined),
  );
  const isFirst = (isLike: (one: AnswerExample) => boolean): boolean =>
    others.find(isLike) === example;
  return [
    ...(type === undefined ? [] : [`code=${status}, example=${name}`]),
    ...(isFirst((one) => one.status === status) ? [`code=${status}`] : []),
    ...(type !== undefined && isFirst((one) => one.name === name) ? [`example=${name}`] : []),
  ];
}

interface Told {
  status: number;
  type: string | null;
  headers: Record<string, string | null>;
  body: unknown;
}

const told = ({ status, headers, body }: Answer, example: AnswerExample): Told => ({
  status,
  type: headers.get('content-type'),
  headers: Object.fromEntries(Object.keys(example.headers).map((key) => [key, headers.get(key)])),
  body,
});

/** The example, but that links lead to the mock. */
const shown = ({ status, type, headers, value }: AnswerExample): Told => ({
  status,
  type: type ?? null,
  headers,
  body:
    value === undefined
      ? undefined
      : JSON.parse(JSON.stringify(value).replaceAll('"https://shop.example.com/', `"${base}/`)),
});

const ALICE = { username: 'alice', password: 'correct-horse-battery' };

interface Page {
  next: string | null;
  results: { id: number }[];
}

test('who logs in, refreshes, and turns the pages of products to the last one is answered all along', async (t) => {
  const client = createClient(t, base);

  const login = await client.post('/login/', { json: ALICE });
  const { access, refresh } = login.body as { access: string; refresh: string };
  const refreshed = await client.post('/refresh_token/', { json: { refresh } });
  const ids: number[] = [];
  let next: string | null = `${base}/products/`;
  while (next !== null) {
    const { body } = await client.get(next.slice(base.length), {
      authorization: `Bearer ${access}`,
    });
    const page = body as Page; // the contract was checked by the client
    ids.push(...page.results.map(({ id }) => id));
    next = page.next;
  }
  const created = await client.post('/products/', {
    authorization: `Bearer ${access}`,
    json: { name: 'Oak chair', price: 49.9 },
  });
  const loggedOut = await client.post('/blacklist_token/', { json: { refresh } });

  t.is(refreshed.status, 200);
  t.deepEqual(ids, [42, 41, 40]);
  t.is(created.status, 201);
  t.is(loggedOut.status, 200);
});

test('a request that the contract does not take is refused', async (t) => {
  const client = createClient(t, base);
  const authorization = 'Bearer any';

  for (const [status, answer] of [
    [401, client.get('/products/')],
    [401, client.post('/products/', { json: { name: 7 } })],
    [401, client.post('/products/', { raw: '{', headers: { 'Content-Type': 'application/json' } })],
    [400, client.post('/products/', { authorization })],
    [400, client.post('/products/', { authorization, json: { name: '', price: '1' } })],
    [400, client.patch('/products/42/', { authorization, form: { stock: '-1' } })],
    [400, client.post('/login/', { json: { username: 'alice' } })],
    [400, client.post('/login/', { form: { username: 'alice' } })],
  ] as const)
    t.is((await answer).status, status);
});

const REFUSALS: [path: string, json: object, body: object][] = [
  ['/products/', { name: '', price: '1' }, { name: ['This field may not be blank.'] }],
  ['/products/', { name: 'Oak chair', price: 'cheap' }, { price: ['A valid number is required.'] }],
  [
    '/products/',
    { name: '', description: null, price: 'cheap', stock: -1 },
    {
      name: ['This field may not be blank.'],
      description: ['This field may not be null.'],
      price: ['A valid number is required.'],
      stock: ['Ensure this value is greater than or equal to 0.'],
    },
  ],
  [
    '/products/',
    { name: 'Oak chair' },
    { name: ['This field is required.'], price: ['This field is required.'] },
  ],
  ['/auth/revoke/', { token: null }, { token: ['This field is required.'] }],
];

test('a refusal is about the fields that are wrong, where the contract shows one about them', async (t) => {
  const client = createClient(t, base);

  for (const [path, json, body] of REFUSALS) {
    const answer = await client.post(path, { authorization: 'Bearer any', json });
    t.is(answer.status, 400);
    t.deepEqual(answer.body, body, JSON.stringify(json));
  }
  const problem = await client.post('/products/', {
    authorization: 'Bearer any',
    json: { name: '', description: null, price: 'cheap', stock: -1 },
    headers: { Accept: 'application/problem+json' },
  });
  t.like(problem.body, { code: 'invalid', errors: { length: 4 } });
});

const TOO_MUCH = 'x'.repeat(300_000);
const JSON_TYPE = { 'Content-Type': 'application/json' };
const ALIKE: [why: string, method: string, path: string, options?: RequestOptions][] = [
  ['broken JSON', 'POST', '/login/', { raw: '{"username":', headers: JSON_TYPE }],
  ['a list', 'POST', '/login/', { json: [] }],
  ['null', 'POST', '/login/', { json: null }],
  ['no body', 'POST', '/login/'],
  ['plain text', 'POST', '/login/', { raw: 'x', headers: { 'Content-Type': 'text/plain' } }],
  [
    'a broken form',
    'POST',
    '/login/',
    { raw: 'x', headers: { 'Content-Type': 'multipart/form-data' } },
  ],
  ['too much', 'POST', '/login/', { raw: TOO_MUCH, headers: JSON_TYPE }],
  [
    'as a problem',
    'POST',
    '/login/',
    { raw: '{', headers: { ...JSON_TYPE, Accept: 'application/problem+json' } },
  ],
  ['no slash', 'GET', '/products?search=oak'],
  ['no such path', 'GET', '/nothing/'],
  ['no number', 'GET', '/products/chair/'],
  ['no such method', 'PUT', '/login/', { json: ALICE }],
  ['another format', 'GET', '/.well-known/jwks.json?format=xml'],
  ['no JSON', 'GET', '/.well-known/jwks.json', { headers: { Accept: 'text/html' } }],
];

test('what can be told without knowing anybody, the mock tells as the service does', async (t) => {
  const service = (await startWithoutDatabase(t)).client;
  const mock = createClient(t, base);
  const headers = { 'X-Request-Id': 'alike' };
  const answerOf = async (
    client: Client,
    method: string,
    path: string,
    options?: RequestOptions,
  ) => {
    const sent = { ...options, headers: { ...options?.headers, ...headers } };
    const { status, text, headers: got } = await client.request(method, path, sent);
    return {
      status,
      text,
      type: got.get('content-type'),
      location: got.get('location'),
      allow: got.get('allow'),
    };
  };

  for (const [why, ...request] of ALIKE)
    t.deepEqual(await answerOf(mock, ...request), await answerOf(service, ...request), why);
});

test('a wish for what the contract does not show is told what it shows', async (t) => {
  const { status, body } = await createClient(t, base).get('/.well-known/jwks.json', {
    headers: { Prefer: 'code=418' },
  });

  t.is(status, 404);
  t.deepEqual(body, {
    detail:
      'The contract shows no such answer. It shows: 200 rotation, 200 none, 400 malformed_request, 404 unknown_format, 406 not_acceptable, 429 throttled.',
  });
});

test('the commands of the README print what is shown there', async (t) => {
  const readme = readFileSync(path.join(import.meta.dirname, '../../README.md'), 'utf8');
  const [, blocks = ''] = /\n### The mock\n(.*?)\n###? /s.exec(readme) ?? [];
  const [, dialogue = ''] = /```console\n(.*?)```/s.exec(blocks) ?? [];
  const turns = dialogue.split(/^\$ /m).slice(1);

  for (const turn of turns) {
    const [command = '', ...printed] = turn.trimEnd().split('\n');
    const here = (text: string): string => text.replaceAll('http://127.0.0.1:4010', base);
    const { stdout } = await promisify(execFile)('bash', ['-c', here(command)]);
    t.is(stdout.trimEnd(), here(printed.join('\n')), command);
  }
  t.is(turns.length, 6);
});

test('a page of any origin may send and read what it needs', async (t) => {
  const client = createClient(t, base);
  const origin = { Origin: 'http://localhost:5173' };

  const preflight = await client.request('OPTIONS', '/products/42/', {
    headers: {
      ...origin,
      'Access-Control-Request-Method': 'PATCH',
      'Access-Control-Request-Headers': 'authorization,content-type,prefer',
    },
  });
  const refusal = await client.get('/products/', { headers: origin });

  t.is(preflight.status, 204);
  t.is(preflight.headers.get('access-control-allow-origin'), '*');
  t.is(preflight.headers.get('access-control-allow-methods'), 'PATCH');
  for (const name of ['Authorization', 'Content-Type', 'Prefer'])
    t.true(listOf(preflight.headers.get('access-control-allow-headers')).includes(name), name);
  t.is(refusal.status, 401);
  t.is(refusal.headers.get('access-control-allow-origin'), '*');
  for (const name of ['Retry-After', 'WWW-Authenticate', 'X-Request-Id'])
    t.true(listOf(refusal.headers.get('access-control-expose-headers')).includes(name), name);
});

const listOf = (header: string | null): string[] => header?.split(', ') ?? [];
