import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Answer } from '../support/client.ts';
import type { SettingValues } from '../support/config.ts';
import { recordLog, serveContract } from './shell.ts';
import { contractOf, operation, SCHEMES } from './small-contracts.ts';

const SECRET = 'eyJhbGciOiJIUzI1NiJ9.e30.c2VjcmV0';
const REFUSAL = {
  description: 'No.',
  content: {
    'application/json': { schema: { type: 'object', properties: { detail: { type: 'string' } } } },
  },
};
const RESPONSES = {
  200: {
    description: 'Done.',
    headers: {
      'X-Count': { required: true, schema: { type: 'integer', enum: [1] } },
      'X-Kind': { schema: { enum: ['a', 'b'] } },
    },
    content: {
      'application/json': {
        schema: {
          type: 'object',
          required: ['token'],
          properties: {
            token: { type: 'string', maxLength: 40 },
            list: { type: 'array', items: { $ref: '#/components/schemas/Count' } },
          },
        },
      },
    },
  },
  204: { description: 'Gone.' },
  202: { ...REFUSAL, headers: { 'X-Count': { required: true } } },
  404: REFUSAL,
};
const CONTRACT = {
  ...contractOf({ '/things/': { get: operation('readThing', { responses: RESPONSES }) } }),
  components: { schemas: { Count: { type: 'integer' } } },
};

/** The service of a contract whose one handler answers as it is told. */
async function serveAnswers(t: ExecutionContext, settings: SettingValues, answers: object[]) {
  const { log, lines } = recordLog();
  const left = [...answers];
  const parts = {
    handlers: { readThing: () => left.shift() },
    owners: {},
    tags: {},
    security: SCHEMES,
  };
  const client = await serveContract(t, CONTRACT, parts, settings, log);
  const get = (path = '/things/'): Promise<Answer> => client.get(path);
  return { get, lines };
}

const PRODUCTION = { NODE_ENV: 'production', BCRYPT_ROUNDS: 10, CONTRACT_CHECK_RATE: 1 };
const FAULT = { detail: 'Internal server error.' };
const good = { status: 200, body: { token: 'short' } };

const BREACHES: [what: string, answer: { status: number; body?: object }, breach: string][] = [
  ['an undeclared status', { status: 418, body: {} }, 'readThing does not declare 418'],
  [
    'an undeclared field',
    { status: 200, body: { token: '', id: SECRET } },
    'data must NOT have additional properties: id',
  ],
  ['a field too few', { status: 200, body: {} }, "data must have required property 'token'"],
  ['another type', { status: 200, body: { token: 1 } }, 'data/token must be string'],
  [
    'a value out of bounds',
    { status: 200, body: { token: SECRET + SECRET } },
    'data/token must NOT have more than 40 characters',
  ],
  [
    'an entry of another type',
    { status: 200, body: { token: '', list: [1, SECRET] } },
    'data/list/1 must be integer',
  ],
  ['no body', { status: 200 }, 'the content type is null'],
  ['a body where none is due', { status: 204, body: {} }, 'a body where none is declared'],
  ['a header too few', { status: 202, body: {} }, 'X-Count is missing'],
];

for (const [what, answer, breach] of BREACHES) {
  test(`${what} is a 500 before production, and a line of the log says why`, async (t) => {
    const { get, lines } = await serveAnswers(t, { CONTRACT_CHECK_RATE: 1 }, [answer]);

    const { status, body } = await get();

    t.deepEqual([status, body], [500, FAULT]);
    t.like(lines[0], {
      msg: 'request failed',
      err: { message: `readThing ${answer.status} breaks the contract: ${breach}` },
    });
    t.is(lines.length, 1);
    t.notRegex(JSON.stringify(lines), /eyJ/);
  });

  test(`${what} goes out in production, and a line of the log says why`, async (t) => {
    const { get, lines } = await serveAnswers(t, PRODUCTION, [answer]);

    const { status, text } = await get();

    // Koa says `OK` where nothing is said.
    const sent = answer.status === 204 ? '' : (JSON.stringify(answer.body) ?? 'OK');
    t.deepEqual([status, text], [answer.status, sent]);
    t.deepEqual(
      lines.map(({ msg, operationId, status: logged, breaches }) => [
        msg,
        operationId,
        logged,
        breaches,
      ]),
      [['an answer breaks the contract', 'readThing', answer.status, [breach]]],
    );
    t.notRegex(JSON.stringify(lines), /eyJ/);
  });
}

test('every answer of the tests is checked without being asked for, and of production one in a hundred', async (t) => {
  const broken = { status: 200, body: {} };
  const tested = await serveAnswers(t, { CONTRACT_CHECK_RATE: '' }, [broken]);
  const { get, lines } = await serveAnswers(
    t,
    { ...PRODUCTION, CONTRACT_CHECK_RATE: '' },
    Array.from({ length: 201 }, () => broken),
  );

  t.is((await tested.get()).status, 500);
  for (let count = 0; count < 201; count += 1) t.is((await get()).status, 200);
  t.is(lines.length, 3);
});

test('a rare refusal is looked at however many answers are not', async (t) => {
  const { get, lines } = await serveAnswers(t, { ...PRODUCTION, CONTRACT_CHECK_RATE: 0.001 }, [
    good,
    good,
  ]);

  await get();
  await get();
  const refused = await get('/things/?format=xml');

  t.deepEqual([refused.status, refused.body], [404, { detail: 'Not found.' }]);
  t.deepEqual(lines, []);
});

test('a rate of 0 switches the check off', async (t) => {
  const { get, lines } = await serveAnswers(t, { CONTRACT_CHECK_RATE: 0 }, [{ status: 418 }]);

  t.is((await get()).status, 418);
  t.deepEqual(lines, []);
});
