import { deleteTokenByDigest } from '../authtoken/repository.ts';
import { digestOf } from '../authtoken/tokens.ts';
import type { RequestDeps } from '../deps.ts';
import { InvalidToken } from '../errors.ts';
import { toDate } from '../jwt/claims.ts';
import type { ReadToken } from '../jwt/claims.ts';
import { MAX_NUMERIC_DATE } from '../jwt/codec.ts';
import { blacklistToken } from '../jwt/repository.ts';
import { blacklistRefreshToken } from '../jwt/tokens.ts';
import { readJwt } from './any-token.ts';

/**
 * Ends a token of any kind (RFC 7009): a refresh token with its session, others alone. That one has ended
 * already, or never was, is nothing to complain of.
 */
export async function revoke(token: string, deps: RequestDeps): Promise<void> {
  const { config, db, live, now } = deps;
  const read = readJwt(token, deps);
  if (read?.claims[config.TOKEN_TYPE_CLAIM] === 'refresh') return endSessionOf(token, deps);
  const hasEnded = read
    ? await blacklistToken({ jti: read.jti, expiresAt: lastExpiry(read), now: now() }, db)
    : await deleteTokenByDigest(digestOf(token), db);
  if (hasEnded) await live.catchUp();
}

async function endSessionOf(refreshToken: string, deps: RequestDeps): Promise<void> {
  try {
    await blacklistRefreshToken(refreshToken, deps);
  } catch (error) {
    if (!(error instanceof InvalidToken)) throw error;
  }
}

// A sliding token keeps its jti when it is prolonged, which it can be until its refresh_exp.
function lastExpiry({ exp, claims: { refresh_exp: refreshExp } }: ReadToken): Date {
  const last = typeof refreshExp === 'number' ? Math.max(exp, refreshExp) : exp;
  return toDate(Math.min(last, MAX_NUMERIC_DATE));
}
