import type { Handler } from '../contract.ts';
import { authenticateCredentials } from '../users/authenticate.ts';
import { keyring } from './keys.ts';
import { loginFailed } from './refusals.ts';
import * as sliding from './sliding.ts';
import * as tokens from './tokens.ts';

export const login: Handler<'login'> = async ({ body, client }, deps) => {
  const user = await authenticateCredentials(body, client, deps);
  const pair = user && (await tokens.issueTokenPair(user, client, deps));
  if (!pair) throw loginFailed();
  return { status: 200, body: pair };
};

export const refreshToken: Handler<'refreshToken'> = async ({ body, client }, deps) => ({
  status: 200,
  body: await tokens.refreshTokens(body.refresh, client, deps),
});

export const obtainSlidingToken: Handler<'obtainSlidingToken'> = async ({ body, client }, deps) => {
  const user = await authenticateCredentials(body, client, deps);
  const token = user && (await sliding.issueSlidingToken(user, client, deps));
  if (!token) throw loginFailed();
  return { status: 200, body: { token } };
};

export const refreshSlidingToken: Handler<'refreshSlidingToken'> = async ({ body }, deps) => ({
  status: 200,
  body: { token: await sliding.refreshSlidingToken(body.token, deps) },
});

export const verifyToken: Handler<'verifyToken'> = async ({ body }, deps) => {
  await tokens.verifyToken(body.token, deps);
  return { status: 200, body: {} };
};

export const blacklistToken: Handler<'blacklistToken'> = async ({ body }, deps) => {
  await tokens.blacklistRefreshToken(body.refresh, deps);
  return { status: 200, body: {} };
};

export const getJwks: Handler<'getJwks'> = (_request, { config }) => ({
  status: 200,
  body: { keys: keyring(config).published },
});
