import test from 'ava';
import { createApi } from '../../src/http/api.ts';
import { testConfig } from '../support/config.ts';
import { serveContract } from './shell.ts';
import { contractOf, operation, SCHEMES } from './small-contracts.ts';

const parts = {
  handlers: { readThing: () => ({ status: 200, body: {} }), writeThing: () => ({ status: 200 }) },
  owners: {},
  tags: {},
  security: SCHEMES,
};
const DEPRECATED = {
  deprecated: true,
  'x-deprecated-since': '2026-12-01',
  'x-sunset': '2027-06-30',
};
const NAMES = ['Deprecation', 'Sunset', 'Link'];
const ENDS = ['@1796083200', 'Wed, 30 Jun 2027 00:00:00 GMT'];

test('every answer of a deprecated operation says since when, until when, and where to read on', async (t) => {
  const security = [{ tokenAuth: [] }];
  const get = operation('readThing', {
    ...DEPRECATED,
    externalDocs: { url: 'https://example.com/moving?to=2#things' },
    security,
    'x-permissions': ['IsAuthenticated'],
  });
  const put = operation('writeThing', { security, 'x-permissions': ['IsAuthenticated'] });
  const client = await serveContract(t, contractOf({ '/things/': { get, put } }), parts);
  const authorization = 'Key alice';
  const LINK = '<https://example.com/moving?to=2#things>; rel="deprecation sunset"';
  const XML = { Accept: 'application/xml' };

  for (const [method, options, status, headers] of [
    ['GET', { authorization }, 200, [...ENDS, LINK]],
    ['HEAD', { authorization }, 200, [...ENDS, LINK]],
    ['GET', {}, 401, [...ENDS, LINK]],
    ['GET', { headers: XML }, 406, [...ENDS, LINK]],
    ['PUT', { authorization }, 200, [null, null, null]],
    ['PATCH', { authorization }, 405, [null, null, null]],
    ['OPTIONS', { authorization }, 204, [null, null, null]],
  ] as const) {
    const answer = await client.request(method, '/things/', options);
    const told = NAMES.map((name) => answer.headers.get(name));
    t.deepEqual([method, answer.status, told], [method, status, [...headers]]);
  }
});

test('without anything to read there is no link', async (t) => {
  const get = operation('readThing', DEPRECATED);
  const client = await serveContract(t, contractOf({ '/things/': { get } }), {
    ...parts,
    handlers: { readThing: parts.handlers.readThing },
  });

  const { headers } = await client.get('/things/');

  t.deepEqual(
    NAMES.map((name) => headers.get(name)),
    [...ENDS, null],
  );
});

const NO_SINCE = 'readThing is deprecated without a date, 2027-01-31, as x-deprecated-since';
const NO_SUNSET = 'readThing is deprecated without a date, 2027-01-31, as x-sunset';
const NO_LINK = 'readThing is deprecated with externalDocs whose url no Link can hold';

const REFUSED: [what: string, fields: object, problems: string[]][] = [
  ['without dates', { deprecated: true }, [NO_SINCE, NO_SUNSET]],
  ['without a sunset', { ...DEPRECATED, 'x-sunset': undefined }, [NO_SUNSET]],
  ['since a time', { ...DEPRECATED, 'x-deprecated-since': '2026-12-01T00:00:00Z' }, [NO_SINCE]],
  ['since a day that is none', { ...DEPRECATED, 'x-deprecated-since': '2026-02-30' }, [NO_SINCE]],
  ['until a word', { ...DEPRECATED, 'x-sunset': 'soon' }, [NO_SUNSET]],
  ['until a number', { ...DEPRECATED, 'x-sunset': 2027 }, [NO_SUNSET]],
  [
    'until a day before',
    { ...DEPRECATED, 'x-sunset': '2026-11-30' },
    ['readThing ends before it is deprecated'],
  ],
  ['with two links', { ...DEPRECATED, externalDocs: { url: '/a>, </b' } }, [NO_LINK]],
  ['with no link', { ...DEPRECATED, externalDocs: { url: '' } }, [NO_LINK]],
];

for (const [what, fields, problems] of REFUSED)
  test(`there is no service for an operation that is deprecated ${what}`, async (t) => {
    t.is(await messageOf(fields), messageWith(problems));
  });

test('nor for one that has a sunset but is not deprecated', async (t) => {
  const fields = { ...DEPRECATED, deprecated: false };

  t.is(
    await messageOf(fields),
    messageWith([
      'readThing has x-deprecated-since but is not deprecated',
      'readThing has x-sunset but is not deprecated',
    ]),
  );
});

async function messageOf(fields: object): Promise<string> {
  const document = contractOf({ '/things/': { get: operation('readThing', fields) } });
  const whole = { ...parts, handlers: { readThing: parts.handlers.readThing } };
  return createApi(document, whole, testConfig()).then(
    () => 'no refusal',
    (error: Error) => error.message,
  );
}

const messageWith = (problems: string[]): string =>
  ['This service cannot honour its contract:', ...problems.map((line) => `  - ${line}`)].join('\n');
