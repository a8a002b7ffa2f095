import test from 'ava';
import type { RequestOptions } from '../support/client.ts';
import { startWithoutDatabase } from './shell.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const JSON_TYPE = { 'Content-Type': 'application/json' };

const ANSWERS: [method: string, path: string, options: RequestOptions, status: number][] = [
  ['GET', '/', {}, 200],
  ['HEAD', '/', {}, 200],
  ['OPTIONS', '/', {}, 204],
  ['GET', '/login', {}, 308],
  ['POST', '/login/', { headers: JSON_TYPE, raw: '{' }, 400],
  ['GET', '/products/', {}, 401],
  ['GET', '/nowhere/', {}, 404],
  ['GET', '/%zz/', {}, 404],
  ['GET', '/login/', {}, 405],
  ['GET', '/', { headers: { Accept: 'application/xml' } }, 406],
  ['POST', '/login/', { raw: 'x'.repeat(16_385) }, 413],
  ['POST', '/login/', { raw: 'x' }, 415],
  ['GET', '/products/', { authorization: `Token ${'0'.repeat(40)}` }, 503],
  ['GET', '/docs', {}, 200],
  ['POST', '/docs', {}, 404],
  ['GET', '/openapi.json', {}, 200],
  ['GET', '/healthz', {}, 200],
  ['GET', '/readyz', {}, 503],
];

test('every answer has the name of its request, also outside the contract', async (t) => {
  const { client } = await startWithoutDatabase(t);
  const names: (string | null)[] = [];

  for (const [method, path, options, status] of ANSWERS) {
    const answer = await client.request(method, path, options);
    t.is(answer.status, status, `${method} ${path}`);
    names.push(answer.headers.get('x-request-id'));
  }

  for (const name of names) t.regex(name ?? '', UUID);
  t.is(new Set(names).size, ANSWERS.length);
});

test('a caller may name a request, in a way that is fit for a log', async (t) => {
  const { client } = await startWithoutDatabase(t);
  const nameOf = async (given: string | string[]): Promise<string | null> => {
    const answer = await client.get('/nowhere/', { headers: { 'X-Request-Id': given } });
    return answer.headers.get('x-request-id');
  };

  for (const fit of ['a', 'Gateway_7.req-42', 'x'.repeat(128)]) t.is(await nameOf(fit), fit);
  for (const unfit of UNFIT) t.regex((await nameOf(unfit)) ?? '', UUID, String(unfit));
});

const UNFIT = [
  ...['', ' ', 'x'.repeat(129), 'a b', 'a,b', 'a"b', 'a\tb', 'a/b', '{}', 'é'],
  ['a', 'b'],
];
