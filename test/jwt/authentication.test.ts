import test from 'ava';
import type { ExecutionContext } from 'ava';
import { startApp } from '../support/app.ts';
import type { Answer } from '../support/client.ts';
import { testConfig } from '../support/config.ts';
import { createDatabase } from '../support/database.ts';
import { createUser, logIn } from '../support/factories.ts';
import { listProducts, notValid } from './endpoints.ts';
import { claimsOf, withClaims } from './forge.ts';

const NO_PRODUCTS = { next: null, previous: null, results: [] };
const NOT_PROVIDED = { detail: 'Authentication credentials were not provided.' };
const BAD_HEADER = {
  detail: 'Authorization header must contain two space-delimited values',
  code: 'bad_authorization_header',
};
const USER_NOT_FOUND = { detail: 'User not found', code: 'user_not_found' };
const USER_INACTIVE = { detail: 'User is inactive', code: 'user_inactive' };

const given = (message: string): object => ({
  detail: 'Given token not valid for any token type',
  code: 'token_not_valid',
  messages: [{ token_class: 'AccessToken', token_type: 'access', message }],
});

function isRefused(t: ExecutionContext, answer: Answer, body: object, why: string): void {
  t.is(answer.status, 401, why);
  t.is(answer.headers.get('www-authenticate'), 'Token', why);
  t.deepEqual(answer.body, body, why);
}

// Serial, so that one embedded database runs at a time: each takes 150 MB, and a core to start.
test.serial('an access token opens a protected page, with any white space about it', async (t) => {
  const app = await startApp(t);
  const { access } = await logIn(app, await createUser(app));

  for (const authorization of [
    `Bearer ${access}`,
    `Bearer   ${access}`,
    `Bearer\t${access}`,
    ` Bearer ${access} \t`,
  ]) {
    const { status, body } = await app.client.get('/products/', { authorization });
    t.is(status, 200, authorization);
    t.deepEqual(body, NO_PRODUCTS);
  }
});

test.serial('a bad Bearer header is refused, even where no credentials are needed', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const { access, refresh } = await logIn(app, user);
  const changed = (claims: object): string => withClaims(access, { ...claims }, app);

  for (const [value, body] of [
    ['', BAD_HEADER],
    [' ', BAD_HEADER],
    [`${access} ${access}`, BAD_HEADER],
    [`Bearer ${access}`, BAD_HEADER],
    ['x', given('Token is invalid')],
    [user.token, given('Token is invalid')],
    [`"${access}"`, given('Token is invalid')],
    ['\u00ff\u00fe', given('Token is invalid')],
    [`${access}x`, given('Token is invalid')],
    ['x'.repeat(8000), given('Token is invalid')],
    [refresh, given('Token has wrong type')],
    [changed({ token_type: 'Access' }), given('Token has wrong type')],
    [changed({ token_type: undefined }), given('Token has no type')],
    [changed({ exp: undefined }), given("Token has no 'exp' claim")],
    [changed({ exp: 1 }), given('Token is expired')],
    [changed({ jti: undefined }), given('Token has no id')],
    [changed({ jti: 1 }), given('Token is invalid')],
    [changed({ sid: 1 }), given('Token is invalid')],
    [changed({ sid: 'session' }), given('Token is invalid')],
    [changed({ sid: String(claimsOf(access).sid).toUpperCase() }), given('Token is invalid')],
    [changed({ sid: undefined, iat: -253_402_300_799 }), given('Token is invalid')],
    [
      changed({ user_id: undefined }),
      notValid('Token contained no recognizable user identification'),
    ],
    [changed({ user_id: null }), USER_NOT_FOUND],
    [changed({ user_id: '999999' }), USER_NOT_FOUND],
    [changed({ user_id: '99999999999999999999' }), USER_NOT_FOUND],
    [changed({ user_id: `0${claimsOf(access).user_id}` }), USER_NOT_FOUND],
    [changed({ user_id: `${claimsOf(access).user_id} OR 1=1` }), USER_NOT_FOUND],
    [changed({ user_id: [1] }), USER_NOT_FOUND],
    [changed({ user_id: { a: 1 } }), USER_NOT_FOUND],
  ] as const) {
    const authorization = `Bearer ${value}`;
    isRefused(t, await app.client.get('/products/', { authorization }), body, value);
    isRefused(t, await app.client.get('/', { authorization }), body, value);
  }
});

test.serial('what does not begin with the keyword as configured is nobody', async (t) => {
  const app = await startApp(t);
  const { access } = await logIn(app, await createUser(app));

  for (const authorization of [
    '',
    access,
    `bearer ${access}`,
    `BEARER ${access}`,
    `Bearer:${access}`,
    `Bearer: ${access}`,
    `Bearer,${access}`,
    `JWT ${access}`,
    'Basic YWxpY2U6c2VjcmV0',
  ]) {
    const answer = await app.client.get('/products/', { authorization });
    isRefused(t, answer, NOT_PROVIDED, authorization);
    t.is((await app.client.get('/', { authorization })).status, 200);
  }
});

test.serial('an access token ends with its lifetime, and with its user', async (t) => {
  const app = await startApp(t);
  const [expired, inactive, deleted] = [
    await createUser(app),
    await createUser(app),
    await createUser(app),
  ];
  const { access: old } = await logIn(app, expired);
  app.clock.advance(300);
  const [first, second] = [await logIn(app, inactive), await logIn(app, deleted)];

  await app.db('users').where({ id: inactive.id }).update({ is_active: false });
  await app.db('users').where({ id: deleted.id }).delete();

  isRefused(t, await listProducts(app, old), given('Token is expired'), 'expired');
  isRefused(t, await listProducts(app, first.access), USER_INACTIVE, 'inactive');
  isRefused(t, await listProducts(app, second.access), USER_NOT_FOUND, 'deleted');
});

test.serial('an iat as old as can be said is before any change of a password', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const { access } = await logIn(app, user);
  const ancient = withClaims(access, { sid: undefined, iat: -62_135_596_800 }, app);
  t.is((await listProducts(app, ancient)).status, 200);

  await app
    .db('users')
    .where({ id: user.id })
    .update({ tokens_valid_from: new Date(0) });
  await app.deps.live.catchUp();

  isRefused(t, await listProducts(app, ancient), given('Token is blacklisted'), 'ancient');
});

test.serial('the first scheme configured gives the challenge, whichever failed', async (t) => {
  const db = await createDatabase(t);
  for (const [AUTHENTICATION_SCHEMES, challenge] of [
    ['tokenAuth,bearerJWT', 'Token'],
    ['bearerJWT,tokenAuth', 'Bearer realm="api"'],
  ] as const) {
    const { client } = await startApp(t, { AUTHENTICATION_SCHEMES }, { db });

    for (const [authorization, body] of [
      ['Token x', { detail: 'Invalid token.' }],
      ['Bearer x', given('Token is invalid')],
      ['Basic x', NOT_PROVIDED],
    ] as const) {
      const answer = await client.get('/products/', { authorization });
      t.is(answer.status, 401);
      t.is(answer.headers.get('www-authenticate'), challenge);
      t.deepEqual(answer.body, body);
    }
  }
});

test.serial('a scheme that is not configured is as good as none', async (t) => {
  const db = await createDatabase(t);
  const { token } = await createUser({ deps: { config: testConfig(), db, now: () => new Date() } });
  for (const [AUTHENTICATION_SCHEMES, challenge, strange] of [
    ['tokenAuth', 'Token', 'Bearer x'],
    ['bearerJWT', 'Bearer realm="api"', `Token ${token}`],
  ] as const) {
    const { client } = await startApp(t, { AUTHENTICATION_SCHEMES }, { db });

    const answer = await client.get('/products/', { authorization: strange });

    t.is(answer.status, 401);
    t.is(answer.headers.get('www-authenticate'), challenge);
    t.deepEqual(answer.body, NOT_PROVIDED);
    t.is((await client.get('/', { authorization: strange })).status, 200);
  }
});

test.serial('AUTH_HEADER_TYPES are the keywords, and the first is in the challenge', async (t) => {
  const settings = {
    AUTH_HEADER_TYPES: 'JWT,Bearer',
    AUTHENTICATION_SCHEMES: 'bearerJWT,tokenAuth',
  };
  const app = await startApp(t, settings);
  const { access } = await logIn(app, await createUser(app));

  for (const keyword of ['JWT', 'Bearer']) {
    const authorization = `${keyword} ${access}`;
    t.is((await app.client.get('/products/', { authorization })).status, 200);
  }
  for (const answer of [
    await app.client.get('/products/', { authorization: `jwt ${access}` }),
    await app.client.get('/products/', { authorization: 'JWT x' }),
    await app.client.post('/verify_token/', { json: { token: 'x' } }),
  ]) {
    t.is(answer.status, 401);
    t.is(answer.headers.get('www-authenticate'), 'JWT realm="api"');
  }
});

test.serial('the endpoints for tokens ignore the Authorization header', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const { access } = await logIn(app, user);
  const json = { username: user.username, password: user.plain, token: access };

  for (const authorization of ['Bearer x', 'Token', 'Token x', 'Bearer'])
    for (const path of ['/login/', '/verify_token/'])
      t.is((await app.client.post(path, { authorization, json })).status, 200, authorization);
});
