import type { User } from '../db.ts';
import type { RequestDeps } from '../deps.ts';
import { InvalidToken } from '../errors.ts';
import { carriedClaims, issueToken, newTimes, readToken, sessionClaims } from './claims.ts';
import type { ReadToken, TokenTimes } from './claims.ts';
import type { Claims } from './codec.ts';
import type { ClientInfo } from './repository.ts';
import { withinSession } from './session-bounds.ts';
import { openSession } from './sessions.ts';
import { requireActive, standingInUse } from './standing.ts';

/**
 * Opens a session of one token that is shown and renewed as itself (simplejwt's TokenObtainSlidingSerializer).
 * Undefined if the account changed since its password was verified.
 */
export async function issueSlidingToken(
  user: User,
  client: ClientInfo,
  deps: RequestDeps,
): Promise<string | undefined> {
  const { config } = deps;
  const times = newTimes(config.SLIDING_TOKEN_LIFETIME, deps.now());
  const refreshExp = times.iat + withinSession(config.SLIDING_TOKEN_REFRESH_LIFETIME, config);
  const sid = await openSession(user, { ...times, exp: refreshExp }, client, deps);
  if (sid === undefined) return undefined;
  return signSliding(sessionClaims(user, sid, deps), times, refreshExp, deps);
}

/** The same token with a new expiry, as long as its refresh_exp lasts (TokenRefreshSlidingSerializer). */
export async function refreshSlidingToken(token: string, deps: RequestDeps): Promise<string> {
  const read = readToken(token, 'sliding', deps);
  const refreshExp = refreshExpiryOf(read, deps);
  const user = requireActive(await standingInUse(read, deps));
  const times = newTimes(deps.config.SLIDING_TOKEN_LIFETIME, deps.now());
  const claims = carriedClaims(read, user, read.familyId, deps);
  return signSliding(claims, { ...times, jti: read.jti }, refreshExp, deps);
}

function signSliding(
  claims: Claims,
  { jti, iat, exp }: TokenTimes,
  refreshExp: number,
  { config }: RequestDeps,
): string {
  const end = config.SESSION_LIFETIME > 0 ? Math.min(exp, refreshExp) : exp;
  const withEnd = { ...claims, [config.SLIDING_TOKEN_REFRESH_EXP_CLAIM]: refreshExp };
  return issueToken('sliding', withEnd, { jti, iat, exp: end }, config);
}

function refreshExpiryOf({ claims }: ReadToken, { config, now }: RequestDeps): number {
  const name = config.SLIDING_TOKEN_REFRESH_EXP_CLAIM;
  const refreshExp = claims[name];
  if (refreshExp === undefined) throw new InvalidToken(`Token has no '${name}' claim`);
  if (typeof refreshExp !== 'number') throw new InvalidToken('Token is invalid');
  if (refreshExp <= now().getTime() / 1000 - config.LEEWAY)
    throw new InvalidToken(`Token '${name}' claim has expired`);
  return refreshExp;
}
