import test from 'ava';
import type { ExecutionContext } from 'ava';
import { startWithoutDatabase } from '../http/shell.ts';
import { startApp } from '../support/app.ts';
import type { Answer } from '../support/client.ts';
import { createUser } from '../support/factories.ts';

const SECRET = 'kP3vN8xQ2mW7rT5y/B9cF4+hJ6dL1sG0 ü%zA=';
const SETTINGS = { INTROSPECTION_CLIENT_SECRET: SECRET };
const INACTIVE = { active: false };
const NO_CREDENTIALS = { detail: 'Authentication credentials were not provided.' };
const INVALID_CLIENT = { detail: 'Invalid client credentials.', code: 'invalid_client' };
const BASIC = 'Basic realm="api", charset="UTF-8"';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const basic = (name: string, secret: string): string => `Basic ${base64(`${name}:${secret}`)}`;

function isRefused(t: ExecutionContext, answer: Answer, why: string): void {
  t.deepEqual([answer.status, answer.body], [401, INVALID_CLIENT], why);
  t.is(answer.headers.get('www-authenticate'), BASIC, why);
  t.is(answer.headers.get('cache-control'), null, why);
}

// Serial, so that one embedded database runs at a time: each takes 150 MB, and a core to start.
test.serial(
  'the configured service is let in, however it encodes its name and password',
  async (t) => {
    const { client } = await startApp(t, { ...SETTINGS, INTROSPECTION_CLIENT_ID: 'shop+1' });
    const json = { token: 'x' };

    for (const authorization of [
      basic('shop+1', SECRET),
      basic('shop+1', SECRET).replace('Basic', 'basic'),
      basic('shop+1', SECRET).replace('Basic ', ' BASIC \t'),
      basic('shop+1', SECRET).replace(/=+$/, ''),
      basic(encodeURIComponent('shop+1'), encodeURIComponent(SECRET)),
      basic('shop%2b1', new URLSearchParams({ s: SECRET }).toString().slice(2)),
    ]) {
      const answer = await client.post('/auth/introspect/', { authorization, json });
      t.deepEqual([answer.status, answer.body], [200, INACTIVE], authorization);
    }
  },
);

const MALFORMED: [what: string, authorization: string][] = [
  ['nothing after the keyword', 'Basic'],
  ['spaces after the keyword', 'Basic   '],
  ['two words', `${basic('introspection', SECRET)} x`],
  ['two headers in one', `${basic('introspection', SECRET)}, Basic x`],
  ['no base64', 'Basic introspection:secret'],
  ['base64 of another alphabet', `Basic ${Buffer.from('??>>').toString('base64url')}`],
  ['base64 in quotes', `Basic "${base64(`introspection:${SECRET}`)}"`],
  ['too much padding', `${basic('introspection', SECRET)}===`],
  ['padding alone', 'Basic =='],
  ['no colon', `Basic ${base64('introspection')}`],
  ['a colon alone', `Basic ${base64(':')}`],
  ['another name', basic('shop', SECRET)],
  ['no name', basic('', SECRET)],
  ['a name in capitals', basic('Introspection', SECRET)],
  ['another password', basic('introspection', 'swordfish')],
  ['no password', basic('introspection', '')],
  ['a part of the password', basic('introspection', SECRET.slice(1))],
  ['more than the password', basic('introspection', `${SECRET}:`)],
  ['the password in capitals', basic('introspection', SECRET.toUpperCase())],
  ['name and password changed about', basic(SECRET, 'introspection')],
  ['the word undefined', basic('introspection', 'undefined')],
  ['bytes that are no UTF-8', `Basic ${Buffer.from([0xff, 0x3a, 0xfe]).toString('base64')}`],
  ['a NUL', basic('introspection\0', SECRET)],
  ['an escape that is none', basic('introspection', '%zz')],
  ['bytes beyond ASCII', 'Basic \u00ff\u00fe'],
  ['a long header', basic('introspection', 'x'.repeat(8000))],
];

test('bad credentials by HTTP Basic are refused with its own challenge', async (t) => {
  const { client } = await startWithoutDatabase(t, SETTINGS);

  for (const [what, authorization] of MALFORMED) {
    const json = { token: 'x' };
    isRefused(t, await client.post('/auth/introspect/', { authorization, json }), what);
  }
});

test('without a configured password HTTP Basic is nobody, whatever the password', async (t) => {
  const { client } = await startWithoutDatabase(t);

  for (const authorization of [basic('introspection', ''), basic('introspection', 'undefined')]) {
    const answer = await client.post('/auth/introspect/', { authorization, json: { token: 'x' } });
    t.deepEqual([answer.status, answer.body], [401, NO_CREDENTIALS]);
    t.is(answer.headers.get('www-authenticate'), 'Token');
  }
});

test('a service is let in nowhere else', async (t) => {
  const { client } = await startWithoutDatabase(t, SETTINGS);
  const authorization = basic('introspection', SECRET);

  for (const [method, path] of [
    ['GET', '/products/'],
    ['DELETE', '/products/1/'],
    ['GET', '/auth/sessions/'],
    ['POST', '/auth/sessions/revoke_all/'],
  ] as const) {
    const answer = await client.request(method, path, { authorization });
    t.deepEqual([answer.status, answer.body], [401, NO_CREDENTIALS], path);
    t.is(answer.headers.get('www-authenticate'), 'Token', path);
  }
  t.is((await client.get('/', { authorization: 'Basic bad' })).status, 200);
});

test.serial('a service is let in whatever schemes users have', async (t) => {
  const { client } = await startApp(t, { ...SETTINGS, AUTHENTICATION_SCHEMES: 'bearerJWT' });
  const json = { token: 'x' };

  const authorization = basic('introspection', SECRET);
  const served = await client.post('/auth/introspect/', { authorization, json });
  const refused = await client.post('/auth/introspect/', { json });

  t.deepEqual([served.status, served.body], [200, INACTIVE]);
  t.deepEqual([refused.status, refused.body], [401, NO_CREDENTIALS]);
  t.is(refused.headers.get('www-authenticate'), 'Bearer realm="api"');
});

test.serial(
  'a user who is not staff may not ask about tokens, not even about the own one',
  async (t) => {
    const app = await startApp(t, SETTINGS);
    const { token } = await createUser(app);

    const answer = await app.client.post('/auth/introspect/', {
      authorization: `Token ${token}`,
      json: { token },
    });

    t.is(answer.status, 403);
    t.deepEqual(answer.body, { detail: 'You do not have permission to perform this action.' });
  },
);
