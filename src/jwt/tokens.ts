import type { Account, User } from '../db.ts';
import type { RequestDeps } from '../deps.ts';
import { ApiError, DetailedAuthenticationFailed, ValidationError } from '../errors.ts';
import type { RefreshOutcome } from '../metrics/metrics.ts';
import {
  carriedClaims,
  issueToken,
  newTimes,
  readToken,
  readUntypedToken,
  sessionClaims,
  toDate,
  userIdOf,
} from './claims.ts';
import { EXPIRED } from './codec.ts';
import type { Claims } from './codec.ts';
import { blacklistToken, findBlacklistedToken, revokeFamily } from './repository.ts';
import type { ClientInfo } from './repository.ts';
import { blacklisted, noActiveAccount, noUserIdentification, ReusedToken } from './refusals.ts';
import { rotateRefreshToken } from './rotation.ts';
import { withinSession } from './session-bounds.ts';
import { openSession } from './sessions.ts';
import { requireActive, standingInUse, standingOf } from './standing.ts';

/**
 * Opens a session for a user whose password was just verified (simplejwt's TokenObtainPairSerializer).
 * Undefined if the account changed since: another password, or deactivated.
 */
export async function issueTokenPair(
  user: User,
  client: ClientInfo,
  deps: RequestDeps,
): Promise<{ refresh: string; access: string } | undefined> {
  const { config } = deps;
  const lifetime = withinSession(config.REFRESH_TOKEN_LIFETIME, config);
  const times = newTimes(lifetime, deps.now());
  const sid = await openSession(user, times, client, deps);
  if (sid === undefined) return undefined;
  const claims = sessionClaims(user, sid, deps);
  return {
    refresh: issueToken('refresh', claims, times, config),
    access: issueAccessToken(claims, times.exp, deps),
  };
}

/** simplejwt's TokenRefreshSerializer; with ROTATE_REFRESH_TOKENS the used token is retired for ever. */
export async function refreshTokens(
  token: string,
  client: ClientInfo,
  deps: RequestDeps,
): Promise<{ access: string; refresh?: string }> {
  try {
    const { outcome, ...tokens } = await refresh(token, client, deps);
    deps.metrics.refresh(outcome);
    return tokens;
  } catch (error) {
    if (error instanceof ApiError) deps.metrics.refresh(outcomeOf(error));
    throw error;
  }
}

function outcomeOf(refusal: ApiError): RefreshOutcome {
  if (refusal instanceof ReusedToken) return 'reuse';
  return refusal.detail === EXPIRED ? 'expired' : 'refused';
}

async function refresh(
  token: string,
  client: ClientInfo,
  deps: RequestDeps,
): Promise<{ outcome: 'won' | 'grace'; access: string; refresh?: string }> {
  const parent = readToken(token, 'refresh', deps);
  if (userIdOf(parent.claims, deps.config) === undefined) throw noUserIdentification();
  if (!deps.config.ROTATE_REFRESH_TOKENS) {
    const user = requireActive(await standingInUse(parent, deps));
    const claims = carriedClaims(parent, user, parent.familyId, deps);
    return { outcome: 'won', access: issueAccessToken(claims, parent.exp, deps) };
  }
  const { outcome, familyId, times, user } = await rotateRefreshToken(parent, client, deps);
  const claims = carriedClaims(parent, user, familyId, deps);
  return {
    outcome,
    access: issueAccessToken(claims, times.exp, deps),
    refresh: issueToken('refresh', claims, times, deps.config),
  };
}

/**
 * simplejwt's TokenVerifySerializer, for a token of any type. A revoked one is refused as well, unless
 * REVOKE_ACCESS_TOKENS is off; then, as in simplejwt, its blacklist counts with BLACKLIST_AFTER_ROTATION only.
 */
export async function verifyToken(token: string, deps: RequestDeps): Promise<void> {
  const { REVOKE_ACCESS_TOKENS, BLACKLIST_AFTER_ROTATION } = deps.config;
  const read = readUntypedToken(token, deps);
  if (!REVOKE_ACCESS_TOKENS && !BLACKLIST_AFTER_ROTATION) return;
  const { state } = await standingOf(read, deps);
  if (state === 'revoked')
    throw new ValidationError({
      non_field_errors: [{ detail: 'Token is blacklisted', code: 'token_not_valid' }],
    });
  if (state !== 'active' && REVOKE_ACCESS_TOKENS) throw noActiveAccount();
}

/** simplejwt's TokenBlacklistSerializer: ends the family, or the token alone if it belongs to none. */
export async function blacklistRefreshToken(token: string, deps: RequestDeps): Promise<void> {
  const { claims, jti, exp, familyId } = readToken(token, 'refresh', deps);
  const now = deps.now();
  const isNew =
    familyId === undefined && (await blacklistToken({ jti, expiresAt: toDate(exp), now }, deps.db));
  if (isNew) return deps.live.catchUp();

  // A logout with a token that was rotated away ends the session too, whatever the answer.
  const sid = familyId ?? (await findBlacklistedToken(jti, deps.db))?.family_id;
  const userId = userIdOf(claims, deps.config);
  if (!sid || userId === undefined) throw blacklisted();
  const ended = await revokeFamily({ familyId: sid, userId, reason: 'blacklist', now }, deps.db);
  await deps.live.catchUp();
  if (!ended) throw blacklisted();
  if (ended.current_jti !== jti && deps.config.BLACKLIST_AFTER_ROTATION) throw blacklisted();
}

/**
 * The user a token in the Authorization header stands for (simplejwt's JWTAuthentication), and the session it
 * belongs to. Throws InvalidToken for the token, AuthenticationFailed for the user.
 */
export async function authenticateJwtOf(
  type: 'access' | 'sliding',
  token: string,
  deps: RequestDeps,
): Promise<{ user: Account; sessionId: string | undefined }> {
  const read = readToken(token, type, deps);
  if (!Object.hasOwn(read.claims, deps.config.USER_ID_CLAIM)) throw noUserIdentification();
  const standing = await standingOf(read, deps);
  switch (standing.state) {
    case 'active':
      return { user: standing.user, sessionId: read.familyId };
    case 'revoked':
      throw blacklisted();
    case 'user_inactive':
      throw new DetailedAuthenticationFailed('User is inactive', 'user_inactive');
    case 'user_not_found':
      throw new DetailedAuthenticationFailed('User not found', 'user_not_found');
  }
}

// No token outlives the session it belongs to.
function issueAccessToken(
  claims: Claims,
  refreshExp: number,
  { config, now }: RequestDeps,
): string {
  const times = newTimes(config.ACCESS_TOKEN_LIFETIME, now());
  const exp = config.SESSION_LIFETIME > 0 ? Math.min(times.exp, refreshExp) : times.exp;
  return issueToken('access', claims, { ...times, exp }, config);
}
