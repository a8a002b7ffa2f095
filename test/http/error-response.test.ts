import { Writable } from 'node:stream';
import test from 'ava';
import Koa from 'koa';
import pino from 'pino';
import { InvalidToken, NotFound, RequestTooLarge, ValidationError } from '../../src/errors.ts';
import { errorResponse, toApiError } from '../../src/http/error-response.ts';
import { requestId } from '../../src/http/request-id.ts';
import { createClient } from '../support/client.ts';
import { listen } from './shell.ts';

function databaseError(code: string, message = 'select "password" from "users" - secret'): Error {
  return Object.assign(new Error(message), { code, detail: 'Key (username)=(alice)' });
}

const UNAVAILABLE = { detail: 'Service temporarily unavailable, try again later.' };
const UNSTORABLE = { detail: 'Malformed request.' };
const FAULT = { detail: 'Internal server error.' };

const THROWN: [what: string, error: unknown, status: number, body: object][] = [
  ['a refusal', new NotFound(), 404, { detail: 'Not found.' }],
  [
    'a refusal of fields',
    new ValidationError({ a: [{ detail: 'No.', code: 'invalid' }] }),
    400,
    { a: ['No.'] },
  ],
  ['a connection refused', databaseError('ECONNREFUSED'), 503, UNAVAILABLE],
  ['a connection reset', databaseError('ECONNRESET'), 503, UNAVAILABLE],
  ['an unknown host', databaseError('ENOTFOUND'), 503, UNAVAILABLE],
  ['a broken connection (08006)', databaseError('08006'), 503, UNAVAILABLE],
  ['too many connections (53300)', databaseError('53300'), 503, UNAVAILABLE],
  ['a shutdown (57P01)', databaseError('57P01'), 503, UNAVAILABLE],
  ['a statement that took too long (57014)', databaseError('57014'), 503, UNAVAILABLE],
  ['a lock that took too long (55P03)', databaseError('55P03'), 503, UNAVAILABLE],
  ['a serialization failure (40001)', databaseError('40001'), 503, UNAVAILABLE],
  ['a deadlock (40P01)', databaseError('40P01'), 503, UNAVAILABLE],
  ['a standby (25006)', databaseError('25006'), 503, UNAVAILABLE],
  ['a full pool', new Error('timeout exceeded when trying to connect'), 503, UNAVAILABLE],
  ['a lost connection', new Error('Connection terminated unexpectedly'), 503, UNAVAILABLE],
  ['text that is no number (22P02)', databaseError('22P02'), 400, UNSTORABLE],
  ['a number out of range (22003)', databaseError('22003'), 400, UNSTORABLE],
  ['a character that cannot be stored (22021)', databaseError('22021'), 400, UNSTORABLE],
  ['a key that is taken (23505)', databaseError('23505'), 400, UNSTORABLE],
  ['a key that points nowhere (23503)', databaseError('23503'), 400, UNSTORABLE],
  ['a broken statement (42601)', databaseError('42601'), 500, FAULT],
  ['a missing table (42P01)', databaseError('42P01'), 500, FAULT],
  ['a file that is not there', databaseError('ENOENT'), 500, FAULT],
  ['a TypeError', new TypeError('x is not a function: secret'), 500, FAULT],
  [
    'an error with a status of its own',
    Object.assign(new Error('secret'), { status: 418 }),
    500,
    FAULT,
  ],
  [
    'an error that others would expose',
    Object.assign(new Error('secret'), { expose: true }),
    500,
    FAULT,
  ],
  ['a text', 'secret', 500, FAULT],
  ['nothing', undefined, 500, FAULT],
  ['an object that looks like a refusal', { status: 200, body: 'secret' }, 500, FAULT],
];

for (const [what, error, status, body] of THROWN) {
  test(`${what} is answered with ${status} and says no more than it should`, (t) => {
    const refusal = toApiError(error);

    t.deepEqual([refusal.status, refusal.body], [status, body]);
    t.notRegex(refusal.message, /secret|alice/);
    if (status >= 500) t.is(refusal.cause, error);
  });
}

/** A service that does nothing but throw, and the lines of its log. */
async function startThrower(t: Parameters<typeof listen>[0], error: unknown) {
  const lines: string[] = [];
  const write = (chunk: Buffer, _: unknown, done: () => void): void => {
    lines.push(chunk.toString());
    done();
  };
  const koa = new Koa()
    .use(requestId)
    .use(errorResponse(pino(new Writable({ write }))))
    .use((ctx) => {
      ctx.state.challenge = 'Key';
      throw error;
    });
  return { client: createClient(t, await listen(t, koa.callback())), lines };
}

test('a fault of our own is logged with its stack, and answered with a constant', async (t) => {
  const { client, lines } = await startThrower(t, new TypeError('x is not a function'));

  const answer = await client.get('/any/');

  t.deepEqual([answer.status, answer.body], [500, FAULT]);
  t.is(lines.length, 1);
  t.is(JSON.parse(lines.join()).requestId, answer.headers.get('x-request-id'));
  t.regex(lines.join(), /x is not a function.*error-response\.test\.ts/);
});

test('a fault of our own says no more as a problem', async (t) => {
  const { client } = await startThrower(t, new TypeError('x is not a function'));

  const answer = await client.get('/any/', {
    headers: { Accept: 'application/problem+json', 'X-Request-Id': 'first-try' },
  });

  t.deepEqual(answer.body, {
    type: '/problems#error',
    title: 'The service has a fault',
    status: 500,
    detail: 'Internal server error.',
    code: 'error',
    request_id: 'first-try',
  });
});

test('an unreachable database is a 503 that says when to try again', async (t) => {
  const { client, lines } = await startThrower(t, databaseError('ECONNREFUSED', 'no server'));

  const answer = await client.get('/any/');

  t.deepEqual([answer.status, answer.body], [503, UNAVAILABLE]);
  t.is(answer.headers.get('retry-after'), '1');
  t.is(answer.headers.get('www-authenticate'), null);
  t.regex(lines.join(), /no server/);
});

test('a refusal is logged by nobody', async (t) => {
  const { client, lines } = await startThrower(t, new NotFound());

  const answer = await client.get('/any/');

  t.deepEqual([answer.status, answer.body, lines], [404, { detail: 'Not found.' }, []]);
});

test('a 401 carries the challenge, and no other refusal does', async (t) => {
  const { client } = await startThrower(t, new InvalidToken('Token is invalid'));
  const { client: other } = await startThrower(t, new RequestTooLarge());

  const refused = await client.get('/any/');
  const large = await other.get('/any/');

  t.is(refused.headers.get('www-authenticate'), 'Key');
  t.deepEqual(refused.body, { detail: 'Token is invalid', code: 'token_not_valid' });
  t.deepEqual(
    [large.headers.get('www-authenticate'), large.headers.get('connection')],
    [null, 'close'],
  );
});
