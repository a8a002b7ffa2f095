import type { ExecutionContext } from 'ava';
import type { Answer } from '../support/client.ts';
import type { TestApp } from '../support/app.ts';
import type { Session } from '../support/factories.ts';
import { claimsOf } from './forge.ts';

export const refresh = ({ client }: TestApp, token: string): Promise<Answer> =>
  client.post('/refresh_token/', { json: { refresh: token } });

export const verify = ({ client }: TestApp, token: string): Promise<Answer> =>
  client.post('/verify_token/', { json: { token } });

export const blacklist = ({ client }: TestApp, token: string): Promise<Answer> =>
  client.post('/blacklist_token/', { json: { refresh: token } });

export const listProducts = ({ client }: TestApp, access: string): Promise<Answer> =>
  client.get('/products/', { authorization: `Bearer ${access}` });

/** The tokens of a refresh that must succeed; with rotation both. */
export async function refreshed(
  t: ExecutionContext,
  app: TestApp,
  token: string,
): Promise<Session> {
  const { status, body } = await refresh(app, token);
  t.is(status, 200);
  return body as Session; // the contract was checked by the client
}

/** The row of the session that a token belongs to. */
export async function familyOf({ db }: TestApp, token: string): Promise<Record<string, unknown>> {
  return db('token_family')
    .where({ id: claimsOf(token).sid })
    .first();
}

export const notValid = (detail: string): object => ({ detail, code: 'token_not_valid' });
export const BLACKLISTED = notValid('Token is blacklisted');
export const NO_ACCOUNT = { detail: 'No active account found for the given token.' };

/** The refusal of the token endpoints: 401, its whole body, and their one challenge. */
export function isRefused(t: ExecutionContext, answer: Answer, body: object, why?: string): void {
  t.is(answer.status, 401, why);
  t.is(answer.headers.get('www-authenticate'), 'Bearer realm="api"', why);
  t.deepEqual(answer.body, body, why);
}
