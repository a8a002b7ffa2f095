import { deleteTokenByDigest } from '../authtoken/repository.ts';
import { digestOf } from '../authtoken/tokens.ts';
import type { RequestDeps } from '../deps.ts';
import { InvalidToken } from '../errors.ts';
import { toDate, userIdOf } from '../jwt/claims.ts';
import type { ReadToken } from '../jwt/claims.ts';
import { MAX_NUMERIC_DATE } from '../jwt/codec.ts';
import { blacklistToken, revokeFamily } from '../jwt/repository.ts';
import { blacklistRefreshToken } from '../jwt/tokens.ts';
import { readJwt } from './any-token.ts';

/**
 * Ends a token of any kind (RFC 7009): a refresh token or a sliding one with its session, others alone. That one
 * has ended already, or never was, is nothing to complain of.
 */
export async function revoke(token: string, deps: RequestDeps): Promise<void> {
  const read = readJwt(token, deps);
  const type = read?.claims[deps.config.TOKEN_TYPE_CLAIM];
  if (type === 'refresh') return endRefreshToken(token, deps);
  const hasEnded = read
    ? await (type === 'sliding' ? endSlidingToken(read, deps) : endAlone(read, read.exp, deps))
    : await deleteTokenByDigest(digestOf(token), deps.db);
  if (hasEnded) await deps.live.catchUp();
}

async function endRefreshToken(token: string, deps: RequestDeps): Promise<void> {
  try {
    await blacklistRefreshToken(token, deps);
  } catch (error) {
    if (!(error instanceof InvalidToken)) throw error;
  }
}

async function endSlidingToken(read: ReadToken, deps: RequestDeps): Promise<boolean> {
  const { claims, exp, familyId } = read;
  const { SLIDING_TOKEN_REFRESH_EXP_CLAIM, SLIDING_TOKEN_LIFETIME } = deps.config;
  const userId = userIdOf(claims, deps.config);
  if (familyId !== undefined && userId !== undefined) {
    const family = { familyId, userId, reason: 'blacklist', now: deps.now() };
    return (await revokeFamily(family, deps.db)) !== undefined;
  }
  // Each refresh keeps the jti, so what the last one gave has to end too.
  const refreshExp = claims[SLIDING_TOKEN_REFRESH_EXP_CLAIM];
  const last = typeof refreshExp === 'number' ? refreshExp + SLIDING_TOKEN_LIFETIME : exp;
  return endAlone(read, Math.max(exp, last), deps);
}

async function endAlone({ jti }: ReadToken, exp: number, deps: RequestDeps): Promise<boolean> {
  const expiresAt = toDate(Math.min(exp, MAX_NUMERIC_DATE));
  return blacklistToken({ jti, expiresAt, now: deps.now() }, deps.db);
}
