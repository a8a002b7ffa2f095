import test from 'ava';
import type { OwnerLookup } from '../../src/contract.ts';
import { createApi } from '../../src/http/api.ts';
import type { Parts } from '../../src/http/operation.ts';
import { testConfig } from '../support/config.ts';
import type { SettingValues } from '../support/config.ts';
import { serveContract } from './shell.ts';
import { contractOf, operation, SCHEMES } from './small-contracts.ts';

const done = () => ({ status: 200, body: {} });
const ownedByOne: OwnerLookup = async () => 1;

interface Case {
  what: string;
  get: object;
  parts?: Partial<Parts>;
  settings?: SettingValues;
  problems: string[];
}

const TOKEN = [{ tokenAuth: [] }];
const USERS = ['tokenAuth', 'bearerJWT'];
const DISAGREES =
  'readThing disagrees with itself: its x-permissions and its security differ on anonymous callers';

const REFUSED: Case[] = [
  {
    what: 'without a handler',
    get: operation('readThing'),
    parts: { handlers: {} },
    problems: ['readThing has no handler'],
  },
  {
    what: 'whose handler only objects inherit',
    get: operation('toString'),
    parts: { handlers: {} },
    problems: ['toString has no handler'],
  },
  {
    what: 'without x-permissions',
    get: operation('readThing', { 'x-permissions': undefined }),
    problems: ['readThing has no x-permissions'],
  },
  {
    what: 'with an empty x-permissions',
    get: operation('readThing', { 'x-permissions': [] }),
    problems: ['readThing has no x-permissions'],
  },
  {
    what: 'with an unknown permission',
    get: operation('readThing', { 'x-permissions': ['AllowAny', 'IsKing'] }),
    problems: [DISAGREES, 'readThing has the unknown permission IsKing'],
  },
  {
    what: 'without security',
    get: operation('readThing', { security: undefined }),
    problems: ['readThing has no security: write [] where nobody is asked'],
  },
  {
    what: 'with a security scheme that has no authenticator',
    get: operation('readThing', {
      security: [{ tokenAuth: [] }, { cookie: [] }],
      'x-permissions': ['IsAuthenticated'],
    }),
    problems: ['readThing has the unknown security scheme cookie'],
  },
  {
    what: 'with two schemes at once',
    get: operation('readThing', {
      security: [{ tokenAuth: [], bearerJWT: [] }],
      'x-permissions': ['IsAuthenticated'],
    }),
    problems: [
      'readThing asks for several security schemes at once, where one at a time is looked at',
    ],
  },
  {
    what: 'that takes no configured scheme',
    get: operation('readThing', { security: TOKEN, 'x-permissions': ['IsAuthenticated'] }),
    settings: { AUTHENTICATION_SCHEMES: 'bearerJWT' },
    problems: ['readThing takes none of the configured security schemes'],
  },
  {
    what: 'with a challenge of an unknown scheme',
    get: operation('readThing', { 'x-challenge': 'cookie' }),
    problems: ['readThing has a challenge of the unknown scheme cookie'],
  },
  {
    what: 'that asks for credentials which it does not need',
    get: operation('readThing', { security: TOKEN }),
    problems: [DISAGREES],
  },
  {
    what: 'that needs credentials which it does not ask for',
    get: operation('readThing', { 'x-permissions': ['IsAuthenticated'] }),
    problems: [DISAGREES],
  },
  {
    what: 'that is public beside a scheme and demands a user',
    get: operation('readThing', { security: [{}, ...TOKEN], 'x-permissions': ['IsAdminUser'] }),
    problems: [DISAGREES],
  },
  {
    what: 'with an object permission and nobody who knows the owner',
    get: operation('readThing', {
      security: TOKEN,
      'x-permissions': ['IsAuthenticated', 'IsOwnerOrStaff'],
    }),
    problems: ['readThing has an object permission but no owner look-up'],
  },
  {
    what: 'with If-Match and nobody who knows the tag',
    get: operation('readThing', {
      parameters: [{ name: 'If-Match', in: 'header', schema: { type: 'string' } }],
    }),
    problems: ['readThing takes If-Match but has no look-up of its entity tag'],
  },
  {
    what: 'without an operationId',
    get: operation('', { operationId: undefined }),
    parts: { handlers: {} },
    problems: ['GET /things/ has no operationId'],
  },
  {
    what: 'beside a handler of nothing',
    get: operation('readThing'),
    parts: { handlers: { readThing: done, readThings: done } },
    problems: ['readThings is a handler of no operation'],
  },
  {
    what: 'under a configured scheme that nobody can check',
    get: operation('readThing'),
    settings: { AUTHENTICATION_SCHEMES: 'tokenAuth,cookie' },
    problems: ['AUTHENTICATION_SCHEMES names cookie: there are tokenAuth, bearerJWT'],
  },
  {
    what: 'under a scheme of clients, configured as one of users',
    get: operation('readThing'),
    settings: { AUTHENTICATION_SCHEMES: 'tokenAuth,clientAuth' },
    problems: ['AUTHENTICATION_SCHEMES names clientAuth: there are tokenAuth, bearerJWT'],
  },
];

async function refusalOf(contract: object, parts: Partial<Parts>, settings: SettingValues = {}) {
  const whole = {
    handlers: { readThing: done },
    owners: {},
    tags: {},
    security: SCHEMES,
    ...parts,
  };
  return createApi(contract, whole, testConfig(settings)).then(
    () => 'no refusal',
    (error: Error) => error.message,
  );
}

const refusal = (problems: string[]): string =>
  ['This service cannot honour its contract:', ...problems.map((line) => `  - ${line}`)].join('\n');

for (const { what, get, parts = {}, settings, problems } of REFUSED) {
  test(`there is no service for an operation ${what}`, async (t) => {
    const message = await refusalOf(contractOf({ '/things/': { get } }), parts, settings);

    t.is(message, refusal(problems));
  });
}

test('all reasons why there is no service are told at once', async (t) => {
  const contract = contractOf({
    '/things/': {
      get: operation('readThing', { security: undefined, 'x-permissions': undefined }),
      post: operation('addThing', { 'x-permissions': ['IsKing'] }),
    },
    '/others/': { delete: operation('dropOther', { 'x-challenge': 'cookie' }) },
  });

  const message = await refusalOf(contract, { handlers: {} }, { AUTHENTICATION_SCHEMES: 'smoke' });

  t.is(
    message,
    refusal([
      'AUTHENTICATION_SCHEMES names smoke: there are tokenAuth, bearerJWT',
      'readThing has no handler',
      'readThing has no x-permissions',
      'readThing has no security: write [] where nobody is asked',
      'readThing has a challenge of the unknown scheme smoke',
      'addThing has no handler',
      'addThing disagrees with itself: its x-permissions and its security differ on anonymous callers',
      'addThing has a challenge of the unknown scheme smoke',
      'addThing has the unknown permission IsKing',
      'dropOther has no handler',
      'dropOther has a challenge of the unknown scheme cookie',
    ]),
  );
});

test('a schema that cannot be compiled is told at the start', async (t) => {
  const broken = { name: 'size', in: 'query', schema: { type: 'string', pattern: '(' } };
  const get = operation('readThing', { parameters: [broken] });

  t.regex(await refusalOf(contractOf({ '/things/': { get } }), {}), /Invalid regular expression/);
});

test('a whole contract has its service', async (t) => {
  const contract = contractOf({
    '/things/': { get: operation('readThing') },
    '/things/{id}/': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
      put: operation('changeThing', {
        security: TOKEN,
        'x-permissions': ['IsAuthenticated', 'IsOwnerOrStaff'],
        'x-challenge': 'bearerJWT',
        'x-max-body-bytes': 10,
      }),
    },
    '/questions/': {
      post: operation('askThing', {
        security: [{ clientAuth: [] }, { bearerJWT: [] }, { tokenAuth: [] }],
        'x-permissions': ['IsAdminUserOrClient'],
      }),
    },
  });
  const parts = {
    handlers: { readThing: done, changeThing: done, askThing: done },
    owners: { changeThing: ownedByOne },
    tags: {},
    security: SCHEMES,
  };

  const { operations } = await createApi(contract, parts, testConfig());

  t.deepEqual(
    operations.map(({ id, method, path, schemes, challengeScheme, maxBodyBytes, needsObject }) => {
      return [id, method, path, schemes, challengeScheme, maxBodyBytes, needsObject];
    }),
    [
      ['readThing', 'GET', '/things/', [], 'tokenAuth', 16_384, false],
      ['changeThing', 'PUT', '/things/{id}/', ['tokenAuth'], 'bearerJWT', 10, true],
      ['askThing', 'POST', '/questions/', [...USERS, 'clientAuth'], 'tokenAuth', 16_384, false],
    ],
  );
});

const BODY = {
  content: {
    'application/json': {
      schema: {
        type: 'object',
        minProperties: 1,
        properties: { name: { type: 'string', enum: ['a', 'b'] }, tags: { type: 'array' } },
      },
    },
  },
};

const POSTED: [json: object, status: number, body: object][] = [
  [{ name: 'a' }, 200, {}],
  [{ name: 'c' }, 400, { name: ['This value does not match the required pattern.'] }],
  [{}, 400, { non_field_errors: ['This value does not match the required pattern.'] }],
  [{ unknown: 1 }, 400, { non_field_errors: ['This value does not match the required pattern.'] }],
];

test('no rule of the contract is passed over, even one that no sentence was written for', async (t) => {
  const contract = contractOf({
    '/things/': { post: operation('addThing', { requestBody: BODY }) },
  });
  const parts = { handlers: { addThing: done }, owners: {}, tags: {}, security: SCHEMES };
  const client = await serveContract(t, contract, parts);

  for (const [json, status, body] of POSTED) {
    const answer = await client.post('/things/', { json });
    t.deepEqual([json, answer.status, answer.body], [json, status, body]);
  }
});

test('a header that has one value in the contract is on the answer it belongs to, and on no other', async (t) => {
  const responses = {
    200: { description: '', headers: { 'Cache-Control': { schema: { enum: ['no-store'] } } } },
    202: { description: '', headers: { 'Cache-Control': { schema: { enum: ['a', 'b'] } } } },
  };
  const parameters = [{ name: 'status', in: 'query', schema: { type: 'integer' } }];
  const contract = contractOf({
    '/things/': { get: operation('readThing', { responses, parameters }) },
  });
  const readThing = ({ query }: { query: { status: number } }) => ({
    status: query.status,
    body: {},
  });
  const parts = { handlers: { readThing }, owners: {}, tags: {}, security: SCHEMES };
  const client = await serveContract(t, contract, parts);

  const fixed = await client.get('/things/?status=200');
  const free = await client.get('/things/?status=202');
  const refused = await client.get('/things/?status=x');

  const controls = [fixed, free, refused].map(({ headers }) => headers.get('cache-control'));
  t.deepEqual(controls, ['no-store', null, null]);
  t.is(refused.status, 400);
});
