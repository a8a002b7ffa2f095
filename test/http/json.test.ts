import test from 'ava';
import { prefersProblem } from '../../src/http/json.ts';
import { serveContract, startWithoutDatabase } from './shell.ts';
import { contractOf, operation, SCHEMES } from './small-contracts.ts';

const HELLO = '{"message":"Hello, World!"}';

const ACCEPTED = [
  ...['*/*', 'application/*', 'application/json', 'APPLICATION/JSON', 'application/json;q=0.1'],
  ...['text/html, application/json', 'text/html;q=0.9,*/*;q=0.1', 'application/json; version=1'],
  ...[' application/json ', 'application/json; indent=0', 'application/json; indent=x'],
];

test('JSON is what every caller gets who takes it, and one who says nothing', async (t) => {
  const { client } = await startWithoutDatabase(t);

  for (const accept of [undefined, ...ACCEPTED]) {
    const answer = await client.get('/', {
      headers: accept === undefined ? {} : { Accept: accept },
    });
    t.deepEqual([accept, answer.status, answer.text], [accept, 200, HELLO]);
    t.is(answer.headers.get('content-type'), 'application/json');
    t.is(answer.headers.get('vary'), 'Accept');
  }
});

const REFUSED = [
  ...['text/html', 'application/xml', 'text/*', 'application/json;q=0', '', 'json', 'application'],
  ...['image/png, text/html;q=0.5', 'application/jsonx', '*'],
];

test('whoever takes no JSON is told so, in JSON', async (t) => {
  const { client } = await startWithoutDatabase(t);

  for (const accept of REFUSED) {
    const answer = await client.get('/', { headers: { Accept: accept } });
    t.deepEqual([accept, answer.status], [accept, 406]);
    t.deepEqual(answer.body, { detail: 'Could not satisfy the request Accept header.' });
  }
});

test('?format= names a format, and json is the only one', async (t) => {
  const { client } = await startWithoutDatabase(t);
  const statuses = { json: 200, '': 200, xml: 404, html: 404, api: 404, JSON: 404, 'json ': 404 };

  for (const [format, status] of Object.entries(statuses)) {
    const answer = await client.get(`/?format=${encodeURIComponent(format)}`);
    t.deepEqual([format, answer.status], [format, status]);
    if (status === 404) t.deepEqual(answer.body, { detail: 'Not found.' });
  }
  t.is((await client.get('/?format=xml&format=json')).status, 200);
});

test('an unknown format is told before an unknown Accept', async (t) => {
  const { client } = await startWithoutDatabase(t);

  const answer = await client.get('/?format=xml', { headers: { Accept: 'text/html' } });

  t.deepEqual([answer.status, answer.body], [404, { detail: 'Not found.' }]);
});

const INDENTS: [accept: string, spaces: number][] = [
  ['application/json; indent=4', 4],
  ['application/json;indent=1', 1],
  ['text/html, application/json; q=0.5; indent=2', 2],
  ['application/json; indent=8', 8],
  ['application/json; indent=999', 8],
  ['application/json; indent=-4', 0],
  ['text/html; indent=4, application/json', 0],
];

test('indent in Accept asks for lines, up to eight spaces deep', async (t) => {
  const { client } = await startWithoutDatabase(t);

  for (const [accept, spaces] of INDENTS) {
    const { text } = await client.get('/', { headers: { Accept: accept } });
    t.is(text, JSON.stringify({ message: 'Hello, World!' }, null, spaces), accept);
  }
});

test('line separators that JavaScript minds are escaped, other characters are not', async (t) => {
  const handlers = { speak: () => ({ status: 200, body: { text: 'ë\u2028\u2029"😀</script>' } }) };
  const contract = contractOf({ '/speech/': { get: operation('speak') } });
  const client = await serveContract(t, contract, {
    handlers,
    owners: {},
    tags: {},
    security: SCHEMES,
  });

  const { text } = await client.get('/speech/');

  t.is(text, '{"text":"ë\\u2028\\u2029\\"😀</script>"}');
});

test('an answer without a body has no Content-Type', async (t) => {
  const handlers = { forget: () => ({ status: 204 }) };
  const contract = contractOf({ '/speech/': { delete: operation('forget') } });
  const client = await serveContract(t, contract, {
    handlers,
    owners: {},
    tags: {},
    security: SCHEMES,
  });

  const answer = await client.delete('/speech/');

  t.deepEqual([answer.status, answer.text], [204, '']);
  t.is(answer.headers.get('content-type'), null);
});

const JSON_TYPE = 'application/json';
const PROBLEM = 'application/problem+json';

const WEIGHED: [accept: string, isProblem: boolean][] = [
  ['', false],
  ['*/*', false],
  ['application/*', false],
  [JSON_TYPE, false],
  [PROBLEM, true],
  ['Application/Problem+JSON', true],
  [`${JSON_TYPE}, ${PROBLEM}`, true],
  [`${PROBLEM}, ${JSON_TYPE}`, true],
  [`${PROBLEM},*/*`, true],
  [`${PROBLEM}; q=0.9, ${JSON_TYPE}; q=0.8`, true],
  [`${PROBLEM}; q=0.8, ${JSON_TYPE}; q=0.9`, false],
  [`${PROBLEM};q=0.5, ${JSON_TYPE}`, false],
  [`${PROBLEM};q=0.5, */*`, false],
  [`${PROBLEM};q=0.5, */*;q=0.1`, true],
  [`${PROBLEM};q=0.5, application/*;q=0.9, */*;q=0.1`, false],
  [`${PROBLEM};q=0.5, ${JSON_TYPE};q=0.1, */*`, true],
  [`${PROBLEM};charset=utf-8;q=0.5, ${JSON_TYPE};indent=4;q=0.4`, true],
  [`${PROBLEM};q=0, */*`, false],
  [`${PROBLEM};q=much`, false],
  [`${PROBLEM}x, x${PROBLEM}`, false],
];

for (const [accept, isProblem] of WEIGHED)
  test(`Accept: ${accept} asks for ${isProblem ? 'problems' : "DRF's refusals"}`, (t) => {
    t.is(prefersProblem(accept), isProblem);
  });

test('who takes problems alone is given JSON for what is no refusal', async (t) => {
  const { client } = await startWithoutDatabase(t);
  const accepting = (Accept: string) => client.get('/', { headers: { Accept } });

  const named = await accepting(PROBLEM);
  const excluded = await accepting(`${PROBLEM};q=0, text/html`);

  t.deepEqual([named.status, named.text], [200, HELLO]);
  t.is(named.headers.get('content-type'), JSON_TYPE);
  t.deepEqual(
    [excluded.status, excluded.body],
    [406, { detail: 'Could not satisfy the request Accept header.' }],
  );
});
