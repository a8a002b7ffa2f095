import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Client } from '../support/client.ts';
import { serveContract } from './shell.ts';
import { contractOf, operation, SCHEMES } from './small-contracts.ts';

const PARAMETERS = [
  { name: 'X-Size', in: 'header', required: true, schema: { type: 'integer', minimum: 2 } },
  { name: 'X-Key', in: 'header', schema: { type: 'string', pattern: '^[a-z]+$' } },
];

/** An operation that tells what headers it was given. */
async function serveEcho(t: ExecutionContext, fields: object = {}): Promise<Client> {
  const contract = contractOf({
    '/things/': { post: operation('addThing', { parameters: PARAMETERS, ...fields }) },
  });
  const addThing = ({ headers }: { headers: object }) => ({
    status: 200,
    body: headers,
    headers: { 'X-Done': 'yes' },
  });
  const parts = { handlers: { addThing }, owners: {}, tags: {}, security: SCHEMES };
  return serveContract(t, contract, parts);
}

test('a handler is given the headers that the contract declares, in its spelling and types, and no others', async (t) => {
  const client = await serveEcho(t);

  const answer = await client.post('/things/', {
    headers: { 'x-SIZE': '12', 'X-KEY': 'abc', 'X-Other': 'y' },
  });

  t.deepEqual(answer.body, { 'X-Size': 12, 'X-Key': 'abc' });
  t.is(answer.headers.get('x-done'), 'yes');
});

const PATTERN = ['This value does not match the required pattern.'];
const REFUSED: [headers: Record<string, string | string[]>, body: object][] = [
  [{}, { 'X-Size': ['This field is required.'] }],
  [{ 'X-Size': '' }, { 'X-Size': ['A valid integer is required.'] }],
  [{ 'X-Size': 'two' }, { 'X-Size': ['A valid integer is required.'] }],
  [{ 'X-Size': '1' }, { 'X-Size': ['Ensure this value is greater than or equal to 2.'] }],
  [{ 'X-Size': '2', 'X-Key': '' }, { 'X-Key': PATTERN }],
  [{ 'X-Size': '2', 'X-Key': 'A' }, { 'X-Key': PATTERN }],
  [{ 'X-Size': '2', 'X-Key': ['a', 'b'] }, { 'X-Key': PATTERN }],
  [{ 'X-Key': '1' }, { 'X-Size': ['This field is required.'], 'X-Key': PATTERN }],
];

test('a header that the contract excludes is refused under its name, before the body is read', async (t) => {
  const client = await serveEcho(t, {
    requestBody: { content: { 'application/json': { schema: { type: 'object' } } } },
  });

  for (const [headers, body] of REFUSED) {
    const answer = await client.post('/things/', {
      headers: { ...headers, 'Content-Type': 'application/json' },
      raw: '{',
    });
    t.deepEqual([headers, answer.status, answer.body], [headers, 400, body]);
  }
});
