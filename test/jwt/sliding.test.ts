import test from 'ava';
import type { ExecutionContext } from 'ava';
import { flushExpiredTokens } from '../../src/commands/flush-expired-tokens.ts';
import { toDate } from '../../src/jwt/claims.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import type { Answer } from '../support/client.ts';
import { createUser, logIn } from '../support/factories.ts';
import type { TestUser } from '../support/factories.ts';
import {
  blacklist,
  BLACKLISTED,
  familyOf,
  isRefused,
  listProducts,
  NO_ACCOUNT,
  notValid,
} from './endpoints.ts';
import { claimsOf, legacyToken, withClaims } from './forge.ts';

const SLIDING = { AUTH_TOKEN_CLASSES: 'AccessToken,SlidingToken' };

async function logInSliding(t: ExecutionContext, app: TestApp, user: TestUser): Promise<string> {
  const json = { username: user.username, password: user.plain };
  const { status, body } = await app.client.post('/login/sliding/', { json });
  t.is(status, 200);
  return (body as { token: string }).token; // the contract was checked by the client
}

const slide = ({ client }: TestApp, token: string): Promise<Answer> =>
  client.post('/refresh_token/sliding/', { json: { token } });

async function slid(t: ExecutionContext, app: TestApp, token: string): Promise<string> {
  const { status, body } = await slide(app, token);
  t.is(status, 200);
  return (body as { token: string }).token;
}

test('a sliding token is both shown and refreshed, as itself', async (t) => {
  const app = await startApp(t, SLIDING);
  const user = await createUser(app);
  const iat = Math.floor(app.clock.now().getTime() / 1000);

  const first = await logInSliding(t, app, user);
  const { jti, sid } = claimsOf(first);
  t.deepEqual(claimsOf(first), {
    token_type: 'sliding',
    exp: iat + 300,
    iat,
    jti,
    user_id: String(user.id),
    sid,
    token_version: 0,
    refresh_exp: iat + 86_400,
  });
  t.is((await listProducts(app, first)).status, 200);

  app.clock.advance(299);
  const second = await slid(t, app, first);
  t.deepEqual(claimsOf(second), { ...claimsOf(first), iat: iat + 299, exp: iat + 599 });
  app.clock.advance(2);
  t.is((await listProducts(app, first)).status, 401);
  t.is((await listProducts(app, second)).status, 200);
  t.like(await familyOf(app, second), { current_jti: jti, generation: 0 });
});

test('each token class says what it has against a token', async (t) => {
  const app = await startApp(t, { AUTH_TOKEN_CLASSES: 'SlidingToken,AccessToken' });
  const { refresh, access } = await logIn(app, await createUser(app));
  t.is((await listProducts(app, access)).status, 200);

  const answer = await listProducts(app, refresh);

  t.is(answer.status, 401);
  t.deepEqual(answer.body, {
    detail: 'Given token not valid for any token type',
    code: 'token_not_valid',
    messages: [
      { token_class: 'SlidingToken', token_type: 'sliding', message: 'Token has wrong type' },
      { token_class: 'AccessToken', token_type: 'access', message: 'Token has wrong type' },
    ],
  });
});

test('a class that is not named is not taken', async (t) => {
  const app = await startApp(t);
  const token = await logInSliding(t, app, await createUser(app));

  t.is((await listProducts(app, token)).status, 401);
});

test('what is no sliding token is not refreshed, and one at its end is not', async (t) => {
  const app = await startApp(t, SLIDING);
  const user = await createUser(app);
  const { refresh } = await logIn(app, user);
  const token = await logInSliding(t, app, user);
  const now = Math.floor(app.clock.now().getTime() / 1000);

  for (const [bad, detail] of [
    [refresh, 'Token has wrong type'],
    [`${token}x`, 'Token is invalid'],
    [withClaims(token, { exp: now }, app), 'Token is expired'],
    [withClaims(token, { refresh_exp: now }, app), "Token 'refresh_exp' claim has expired"],
    [withClaims(token, { refresh_exp: undefined }, app), "Token has no 'refresh_exp' claim"],
    [withClaims(token, { refresh_exp: '1' }, app), 'Token is invalid'],
  ] as const)
    isRefused(t, await slide(app, bad), notValid(detail), detail);
  isRefused(t, await blacklist(app, token), notValid('Token has wrong type'));
  isRefused(t, await slide(app, withClaims(token, { user_id: '999999' }, app)), NO_ACCOUNT);
});

test('wrong credentials open no session', async (t) => {
  const app = await startApp(t);
  const { username } = await createUser(app);

  const json = { username, password: 'wrong' };
  const answer = await app.client.post('/login/sliding/', { json });

  isRefused(t, answer, { detail: 'No active account found with the given credentials' });
  t.deepEqual(await app.db('token_family').select('id'), []);
});

test('a sliding token that was ended does not come back, also when everything expired was flushed', async (t) => {
  const app = await startApp(t, { ...SLIDING, SLIDING_TOKEN_REFRESH_LIFETIME: '1h' });
  const user = await createUser(app);
  const first = await logInSliding(t, app, user);
  app.clock.advance(200);
  const second = await slid(t, app, first);
  const foreign = legacyToken(app, {
    token_type: 'sliding',
    user_id: String(user.id),
    refresh_exp: Number(claimsOf(second).refresh_exp),
  });
  await slid(t, app, foreign);

  await app.db('blacklisted_token').insert({
    jti: claimsOf(foreign).jti,
    blacklisted_at: app.clock.now(),
    expires_at: toDate(Number(claimsOf(foreign).refresh_exp)),
  });
  await app
    .db('token_family')
    .where({ id: claimsOf(second).sid })
    .update({ revoked_at: app.clock.now() });
  await app.deps.live.catchUp();
  app.clock.advance(150); // the first one has expired by now
  await flushExpiredTokens({}, app.deps);

  for (const token of [second, foreign]) {
    t.is((await listProducts(app, token)).status, 401);
    isRefused(t, await slide(app, token), BLACKLISTED);
  }
});

test('SESSION_LIFETIME bounds a sliding token as well', async (t) => {
  const app = await startApp(t, { ...SLIDING, SESSION_LIFETIME: 400 });
  const token = await logInSliding(t, app, await createUser(app));
  const { iat } = claimsOf(token);
  t.is(claimsOf(token).refresh_exp, Number(iat) + 400);

  app.clock.advance(250);
  const next = await slid(t, app, token);

  t.is(claimsOf(next).exp, Number(iat) + 400);
});
