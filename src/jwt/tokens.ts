import { v7 as uuidv7 } from 'uuid';
import type { User } from '../db.ts';
import type { Deps } from '../deps.ts';
import { AuthenticationFailed, ValidationError } from '../errors.ts';
import { findUserById } from '../users/repository.ts';
import { issueToken, newTimes, readToken, readUntypedToken, toDate, userIdOf } from './claims.ts';
import type { ReadToken } from './claims.ts';
import type { Claims } from './codec.ts';
import {
  blacklistToken,
  findBlacklistedToken,
  findRefreshState,
  revokeFamily,
  startFamily,
} from './repository.ts';
import type { ClientInfo } from './repository.ts';
import { blacklisted, noActiveAccount, rotateRefreshToken } from './rotation.ts';

/**
 * Opens a session for a user whose password was just verified (simplejwt's TokenObtainPairSerializer).
 * Undefined if the account changed since: another password, or deactivated.
 */
export async function issueTokenPair(
  user: User,
  client: ClientInfo,
  deps: Deps,
): Promise<{ refresh: string; access: string } | undefined> {
  const { config, db } = deps;
  const now = deps.now();
  const times = newTimes(config.REFRESH_TOKEN_LIFETIME, now);
  const sid = uuidv7({ msecs: now.getTime() });
  const isOpen = await startFamily(
    {
      id: sid,
      jti: times.jti,
      userId: user.id,
      password: user.password,
      updateLastLogin: config.UPDATE_LAST_LOGIN,
      now,
      expiresAt: toDate(times.exp),
      client,
    },
    db,
  );
  if (!isOpen) return undefined;
  const claims = { [config.USER_ID_CLAIM]: String(user.id), sid };
  return {
    refresh: issueToken('refresh', claims, times, config),
    access: issueAccessToken(claims, deps),
  };
}

/** simplejwt's TokenRefreshSerializer; with ROTATE_REFRESH_TOKENS the used token is retired for ever. */
export async function refreshTokens(
  token: string,
  client: ClientInfo,
  deps: Deps,
): Promise<{ access: string; refresh?: string }> {
  const parent = readToken(token, 'refresh', deps);
  const userId = userIdOf(parent.claims, deps.config);
  if (userId === undefined) throw noUserIdentification();
  if (!deps.config.ROTATE_REFRESH_TOKENS) {
    await requireCurrent(parent, userId, deps);
    return { access: issueAccessToken(parent.claims, deps) };
  }
  const { familyId, times } = await rotateRefreshToken(parent, userId, client, deps);
  const claims = { ...parent.claims, sid: familyId };
  return {
    access: issueAccessToken(claims, deps),
    refresh: issueToken('refresh', claims, times, deps.config),
  };
}

/** simplejwt's TokenVerifySerializer: any type; the blacklist counts with BLACKLIST_AFTER_ROTATION only. */
export async function verifyToken(token: string, deps: Deps): Promise<void> {
  const read = readUntypedToken(token, deps);
  if (deps.config.BLACKLIST_AFTER_ROTATION && (await isUsedUp(read, deps)))
    throw new ValidationError({ non_field_errors: ['Token is blacklisted'] });
}

/** simplejwt's TokenBlacklistSerializer: ends the family, or the token alone if it belongs to none. */
export async function blacklistRefreshToken(token: string, deps: Deps): Promise<void> {
  const { claims, jti, exp, familyId } = readToken(token, 'refresh', deps);
  const now = deps.now();
  const isNew =
    familyId === undefined && (await blacklistToken({ jti, expiresAt: toDate(exp), now }, deps.db));
  if (isNew) return;

  // A logout with a token that was rotated away ends the session too, whatever the answer.
  const sid = familyId ?? (await findBlacklistedToken(jti, deps.db))?.family_id;
  const userId = userIdOf(claims, deps.config);
  if (!sid || userId === undefined) throw blacklisted();
  const ended = await revokeFamily({ familyId: sid, userId, reason: 'blacklist', now }, deps.db);
  if (!ended) throw blacklisted();
  if (ended.current_jti !== jti && deps.config.BLACKLIST_AFTER_ROTATION) throw blacklisted();
}

/**
 * The user an access token stands for (simplejwt's JWTAuthentication), and the session it belongs to. Throws
 * InvalidToken for the token, AuthenticationFailed for the user.
 */
export async function authenticateAccessToken(
  token: string,
  deps: Deps,
): Promise<{ user: User; sessionId: string | undefined }> {
  const { claims, familyId } = readToken(token, 'access', deps);
  if (!Object.hasOwn(claims, deps.config.USER_ID_CLAIM)) throw noUserIdentification();
  const userId = userIdOf(claims, deps.config);
  // The one read that an in-memory list of revocations can take the place of.
  const user = userId === undefined ? undefined : await findUserById(userId, deps.db);
  if (!user) throw new AuthenticationFailed('User not found', { code: 'user_not_found' });
  if (!user.is_active)
    throw new AuthenticationFailed('User is inactive', { code: 'user_inactive' });
  return { user, sessionId: familyId };
}

async function requireCurrent(token: ReadToken, userId: number, deps: Deps): Promise<void> {
  const state = await stateOf(token, userId, deps);
  if (state === 'orphaned') throw noActiveAccount();
  if (state === 'used') throw blacklisted();
}

async function isUsedUp(token: ReadToken, deps: Deps): Promise<boolean> {
  const { claims, jti, familyId } = token;
  if (familyId === undefined) return (await findBlacklistedToken(jti, deps.db)) !== undefined;
  const userId = userIdOf(claims, deps.config);
  // The jti of an access token is in no family's row.
  if (claims[deps.config.TOKEN_TYPE_CLAIM] !== 'refresh' || userId === undefined) return false;
  return (await stateOf(token, userId, deps)) !== 'current';
}

/** Whether a refresh token may be used; orphaned: its user is gone or inactive. */
async function stateOf(
  { jti, iat, familyId }: ReadToken,
  userId: number,
  { db }: Deps,
): Promise<'current' | 'used' | 'orphaned'> {
  if (familyId !== undefined) {
    const state = await findRefreshState({ familyId, userId, jti }, db);
    // Families outlive their tokens, so a missing one went with its user.
    if (!state?.userIsActive) return 'orphaned';
    return state.isCurrent ? 'current' : 'used';
  }
  if (await findBlacklistedToken(jti, db)) return 'used';
  const user = await findUserById(userId, db);
  if (!user?.is_active) return 'orphaned';
  const { password_changed_at: changed } = user;
  return changed && toDate(iat) < changed ? 'used' : 'current';
}

function issueAccessToken(claims: Claims, { config, now }: Deps): string {
  return issueToken('access', claims, newTimes(config.ACCESS_TOKEN_LIFETIME, now()), config);
}

// simplejwt tells this one without its list of messages, though with the code of a bad token.
const noUserIdentification = (): AuthenticationFailed =>
  new AuthenticationFailed('Token contained no recognizable user identification', {
    code: 'token_not_valid',
  });
