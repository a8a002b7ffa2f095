import type { Knex } from 'knex';
import { v7 as uuidv7 } from 'uuid';
import type { Account } from '../db.ts';
import type { RequestDeps } from '../deps.ts';
import { findUserById } from '../users/repository.ts';
import { newTimes, toDate, toSeconds, userIdOf } from './claims.ts';
import type { ReadToken, TokenTimes } from './claims.ts';
import { blacklisted, noActiveAccount, ReusedToken } from './refusals.ts';
import { adoptToken, findBlacklistedToken, rotateFamily } from './repository.ts';
import type { ClientInfo } from './repository.ts';
import { sessionBounds, withinSession } from './session-bounds.ts';

interface Successor {
  outcome: 'won' | 'grace';
  familyId: string;
  times: TokenTimes;
  user: Account;
}

/**
 * Retires a refresh token for its successor. Among concurrent uses one makes the successor; a retry within
 * REFRESH_GRACE is given the same one; anything else is reuse, which ends the family
 * (REFRESH_REUSE=revoke_family) or is refused alone (refuse).
 */
export async function rotateRefreshToken(
  parent: ReadToken,
  client: ClientInfo,
  deps: RequestDeps,
): Promise<Successor> {
  const userId = userIdOf(parent.claims, deps.config);
  if (userId === undefined) throw noActiveAccount();
  if (parent.familyId !== undefined) return rotateWithin(parent.familyId, parent.jti, userId, deps);

  const now = deps.now();
  const times = newTimes(withinSession(deps.config.REFRESH_TOKEN_LIFETIME, deps.config), now);
  const familyId = uuidv7({ msecs: now.getTime() });
  const user = await adoptToken(
    {
      id: familyId,
      jti: times.jti,
      userId,
      now,
      expiresAt: toDate(times.exp),
      client,
      parentJti: parent.jti,
      parentIssuedAt: toDate(parent.iat),
      parentExpiresAt: toDate(parent.exp),
    },
    deps.db,
  );
  if (user) return { outcome: 'won', familyId, times, user };

  const used = await findBlacklistedToken(parent.jti, deps.db);
  if (!used) throw await refusalOf(userId, deps.db);
  if (used.family_id === null) throw blacklisted();
  return rotateWithin(used.family_id, parent.jti, userId, deps);
}

async function rotateWithin(
  familyId: string,
  jti: string,
  userId: number,
  deps: RequestDeps,
): Promise<Successor> {
  const { config, db } = deps;
  const bounds = sessionBounds(deps);
  const { now } = bounds;
  const child = newTimes(config.REFRESH_TOKEN_LIFETIME, now);
  const result = await rotateFamily(
    {
      familyId,
      userId,
      jti,
      childJti: child.jti,
      childExpiresAt: toDate(child.exp),
      sessionSeconds: config.SESSION_LIFETIME || null,
      ...bounds,
      graceSince:
        config.REFRESH_GRACE > 0 ? new Date(now.getTime() - config.REFRESH_GRACE * 1000) : null,
      revokeOnReuse: config.REFRESH_REUSE === 'revoke_family',
    },
    db,
  );
  if (!result) throw await refusalOf(userId, db);
  if (result.outcome === 'reuse') {
    await deps.live.catchUp();
    throw new ReusedToken();
  }
  const { outcome, jti: childJti, rotatedAt, expiresAt, user } = result;
  const times = { jti: childJti, iat: toSeconds(rotatedAt), exp: toSeconds(expiresAt) };
  return { outcome, familyId, times, user };
}

// What an account that is there and active has against a token is that it was revoked.
async function refusalOf(userId: number, db: Knex): Promise<Error> {
  const user = await findUserById(userId, db);
  return user?.is_active ? blacklisted() : noActiveAccount();
}
