import test from 'ava';
import { answerSeen, coverageOf, documentedAnswers } from './support/coverage.ts';

const DOCUMENTED = ['a 200 text/plain', 'a 404 text/plain', 'a 404 text/html', 'b 204'];

const RUNS: [seen: string[], line: string, missing: string[]][] = [
  [[], '0/2 operations, 0/4 documented responses', DOCUMENTED],
  [['c 200 text/plain', 'a 500', ''], '0/2 operations, 0/4 documented responses', DOCUMENTED],
  [['b 204'], '1/2 operations, 1/4 documented responses', DOCUMENTED.slice(0, 3)],
  [
    ['a 404 text/html', 'a 200 text/plain', 'b 204'],
    '2/2 operations, 3/4 documented responses',
    ['a 404 text/plain'],
  ],
  [DOCUMENTED, '2/2 operations, 4/4 documented responses', []],
];

for (const [seen, counts, missing] of RUNS)
  test(`having seen ${JSON.stringify(seen)}, a run has seen ${counts}`, (t) => {
    const line = `contract coverage: ${counts}`;

    t.deepEqual(coverageOf(new Set(seen), DOCUMENTED), { line, missing });
  });

const JSON_TYPE = { 'Content-Type': 'application/json' };
const SEEN: [
  request: string,
  status: number,
  headers: Record<string, string>,
  seen: string | undefined,
][] = [
  ['GET /products/?page_size=1', 200, JSON_TYPE, 'listProducts 200 application/json'],
  ['PATCH /products/7/', 406, JSON_TYPE, 'partialUpdateProduct 406 application/json'],
  ['DELETE /products/7/', 204, {}, 'destroyProduct 204'],
  ['HEAD /products/', 200, JSON_TYPE, undefined],
  ['OPTIONS /products/', 204, {}, undefined],
  ['POST /products/7/', 405, JSON_TYPE, undefined],
  ['GET /healthz', 200, JSON_TYPE, undefined],
];

for (const [request, status, headers, seen] of SEEN)
  test(`${request} with ${status} shows ${seen}`, (t) => {
    const [method = '', target = ''] = request.split(' ');

    const name = answerSeen(method, target, { status, headers: new Headers(headers) });

    t.is(name, seen);
    t.true(name === undefined || documentedAnswers().includes(name));
  });
