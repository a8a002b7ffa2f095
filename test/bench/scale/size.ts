import type { RequestDeps } from '../../../src/deps.ts';
import { issueToken, newTimes } from '../../../src/jwt/claims.ts';
import { findUserById } from '../../../src/users/repository.ts';
import type { Replica } from '../service.ts';
import { openSession } from '../sessions.ts';

/** A session of the many that a table was filled with, and its newest refresh token. */
export interface Holder {
  refresh: string;
}

/** One size of the tables, and the service on it. */
export interface Size {
  rows: number;
  deps: RequestDeps;
  /** Refreshes by rotation; the other one does not. */
  rotating: Replica;
  keeping: Replica;
  /** An access token of a user with a handful of sessions. */
  access: string;
  /** Scattered over the whole table; each is used by one kind of refresh. */
  rotated: Holder[];
  kept: Holder[];
  /** Refresh tokens that simplejwt would have issued, and that are blacklisted. */
  blacklisted: string[];
  /** The page after 399 others, by ordering. */
  deep: Map<string, string>;
}

export const USER_ID = 5;
const HOLDERS = 300;

export async function openAccess(deps: RequestDeps): Promise<string> {
  const user = await findUserById(USER_ID, deps.db);
  if (!user) throw new Error('the filled users are not there');
  return (await openSession(user, deps)).access;
}

interface FilledFamily {
  id: string;
  user_id: number;
  current_jti: string;
}

/** One session of each of some hundred pages, from everywhere in the table, for each of two uses. */
export async function pickHolders(
  rows: number,
  deps: RequestDeps,
): Promise<Pick<Size, 'rotated' | 'kept'>> {
  const share = Math.min(100, (100 * HOLDERS * 80) / rows);
  const { rows: found } = await deps.db.raw<{ rows: FilledFamily[] }>(
    `SELECT DISTINCT ON ((ctid::text::point)[0]) id, user_id, current_jti
     FROM token_family TABLESAMPLE SYSTEM (?) WHERE user_id <> ?`,
    [share, USER_ID],
  );
  const picked = found.toSorted((a, b) => a.current_jti.localeCompare(b.current_jti));
  if (picked.length < 20) throw new Error('there are too few sessions to choose from');
  const tokens = picked.slice(0, 2 * HOLDERS).map((family) => ({ refresh: refreshToken(family) }));
  const half = Math.floor(tokens.length / 2);
  return { rotated: tokens.slice(0, half), kept: tokens.slice(half) };

  function refreshToken({ id, user_id, current_jti: jti }: FilledFamily): string {
    const claims = { [deps.config.USER_ID_CLAIM]: String(user_id), sid: id, token_version: 0 };
    const times = { ...newTimes(deps.config.REFRESH_TOKEN_LIFETIME, deps.now()), jti };
    return issueToken('refresh', claims, times, deps.config);
  }
}

export async function pickBlacklisted(rows: number, deps: RequestDeps): Promise<string[]> {
  const share = Math.min(100, (100 * HOLDERS * 100) / rows);
  const { rows: found } = await deps.db.raw<{ rows: { jti: string }[] }>(
    `SELECT DISTINCT ON ((ctid::text::point)[0]) jti FROM blacklisted_token TABLESAMPLE SYSTEM (?)
     WHERE expires_at > now()`,
    [share],
  );
  return found.slice(0, HOLDERS).map(({ jti }) => foreignRefresh(jti, deps));
}

/** A refresh token as simplejwt issues it: of no session. */
export function foreignRefresh(jti: string, { config, now }: RequestDeps): string {
  const times = { ...newTimes(config.REFRESH_TOKEN_LIFETIME, now()), jti };
  return issueToken('refresh', { [config.USER_ID_CLAIM]: String(USER_ID) }, times, config);
}
