import { randomUUID } from 'node:crypto';
import { createAccount } from '../../src/accounts/accounts.ts';
import { generateKey } from '../../src/authtoken/tokens.ts';
import { startProgress } from '../../src/commands/progress.ts';
import type { User } from '../../src/db.ts';
import type { RequestDeps } from '../../src/deps.ts';
import { issueToken, newTimes } from '../../src/jwt/claims.ts';
import { hashPassword } from '../../src/users/passwords.ts';
import { exchange, refresh } from './http-client.ts';
import { openSession, successorIn } from './sessions.ts';
import type { Session } from './sessions.ts';

/** An account, and all that its user knows. */
export interface Victim {
  user: User;
  password: string;
  opaque: string;
  live: Session;
  /** Refresh tokens of the sessions that are live, rotated or revoked, and one that simplejwt issued. */
  refreshTokens: string[];
  accessTokens: string[];
}

/** Accounts with a row of every kind. */
export async function fillDatabase(
  count: number,
  origin: string,
  deps: RequestDeps,
): Promise<Victim[]> {
  const victims: Victim[] = [];
  const progress = startProgress('Accounts', count);
  for (let index = 0; index < count; index += 1) {
    victims.push(await createVictim(origin, deps));
    progress.advanceTo(index + 1);
  }
  progress.stop();
  return victims;
}

async function createVictim(origin: string, deps: RequestDeps): Promise<Victim> {
  const password = `correct horse ${randomUUID()}`;
  const opaque = generateKey();
  const name = `bench-${randomUUID()}`;
  const hash = await hashPassword(password, deps.config);
  const user = await createAccount(
    { username: name, email: `${name}@example.com`, password: hash, token: opaque },
    deps,
  );
  const [live, rotated, revoked] = [
    await openSession(user, deps),
    await openSession(user, deps),
    await openSession(user, deps),
  ];
  const successor = successorIn(await refresh(origin, rotated.refresh));
  const foreign = foreignToken(user, deps);
  const ended = [await blacklist(origin, revoked.refresh), await blacklist(origin, foreign)];
  if (successor === undefined || ended.some((status) => status !== 200))
    throw new Error('a session could not be rotated, or a token not be blacklisted');
  return {
    user,
    password,
    opaque,
    live,
    refreshTokens: [live.refresh, rotated.refresh, successor, revoked.refresh, foreign],
    accessTokens: [live, rotated, revoked].map(({ access }) => access),
  };
}

/** A refresh token as simplejwt issues it: of no session. */
function foreignToken({ id }: User, { config, now }: RequestDeps): string {
  const times = newTimes(config.REFRESH_TOKEN_LIFETIME, now());
  return issueToken('refresh', { [config.USER_ID_CLAIM]: String(id) }, times, config);
}

async function blacklist(origin: string, token: string): Promise<number> {
  const json = { refresh: token };
  return (await exchange(origin, '/blacklist_token/', { method: 'POST', json })).status;
}
