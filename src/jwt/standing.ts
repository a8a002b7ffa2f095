import type { Account } from '../db.ts';
import type { RequestDeps } from '../deps.ts';
import { findAccount } from '../users/account.ts';
import { toDate, userIdOf } from './claims.ts';
import type { ReadToken } from './claims.ts';
import { blacklisted, noActiveAccount } from './refusals.ts';
import { findStanding, useStanding } from './standing-repository.ts';
import { sessionBounds } from './session-bounds.ts';

/** What a verified token is worth now. */
export type Standing =
  | { state: 'active'; user: Account }
  | { state: 'revoked'; user: Account }
  | { state: 'user_inactive'; user: Account }
  | { state: 'user_not_found' };

/**
 * Whether a verified token is active: the one answer for requests, verification, refresh and introspection.
 * Of access and sliding tokens memory knows; refresh tokens, and whatever memory cannot tell of, are looked up.
 */
export async function standingOf(token: ReadToken, deps: RequestDeps): Promise<Standing> {
  const userId = userIdOf(token.claims, deps.config);
  if (userId === undefined) return { state: 'user_not_found' };
  const isRefresh = token.claims[deps.config.TOKEN_TYPE_CLAIM] === 'refresh';
  return !isRefresh && isInMemory(token, deps)
    ? standingInMemory(token, userId, deps)
    : standingInDatabase(token, userId, deps, { ask: findStanding, isRefresh });
}

// Memory reaches back as far as the longest life of a token: one that lives longer may have ended before. Of a
// session that another system named, only the database can tell that it is none.
function isInMemory({ familyId, version, iat, exp }: ReadToken, deps: RequestDeps): boolean {
  const { config, live } = deps;
  const isOurs = familyId === undefined || version !== undefined;
  return isOurs && live.isFresh() && exp - iat + config.LEEWAY < live.holdSeconds;
}

async function standingInMemory(
  token: ReadToken,
  userId: number,
  deps: RequestDeps,
): Promise<Standing> {
  const user = await findAccount(userId, deps);
  const { familyId, jti, version } = token;
  const hasSessionEnded =
    familyId === undefined
      ? isFromBefore(token, user)
      : version !== user?.token_version || deps.live.isRevoked('family', familyId);
  return judge(user, hasSessionEnded || deps.live.isRevoked('jti', jti), token, deps);
}

// simplejwt's tokens know no session, so the time of the last change that ends tokens decides.
const isFromBefore = ({ iat }: ReadToken, user: Account | undefined): boolean =>
  Boolean(user?.tokens_valid_from && toDate(iat) < user.tokens_valid_from);

/** The same for a refresh token that is being used, which marks its session as used. */
export async function standingInUse(token: ReadToken, deps: RequestDeps): Promise<Standing> {
  const userId = userIdOf(token.claims, deps.config);
  if (userId === undefined) return { state: 'user_not_found' };
  return standingInDatabase(token, userId, deps, { ask: useStanding, isRefresh: true });
}

async function standingInDatabase(
  token: ReadToken,
  userId: number,
  deps: RequestDeps,
  { ask, isRefresh }: { ask: typeof findStanding; isRefresh: boolean },
): Promise<Standing> {
  const { familyId = null, jti, iat } = token;
  const found = await ask(
    {
      userId,
      familyId,
      jti,
      issuedAt: toDate(iat),
      isRefresh,
      ...sessionBounds(deps),
    },
    deps.db,
  );
  return judge(found?.user, found?.isRevoked === true, token, deps);
}

function judge(
  user: Account | undefined,
  isRevoked: boolean,
  { claims }: ReadToken,
  { config }: RequestDeps,
): Standing {
  if (!user) return { state: 'user_not_found' };
  if (!user.is_active) return { state: 'user_inactive', user };
  const livesOn = !config.REVOKE_ACCESS_TOKENS && claims[config.TOKEN_TYPE_CLAIM] === 'access';
  return { state: isRevoked && !livesOn ? 'revoked' : 'active', user };
}

/** The user of an active token; throws what the token endpoints say of any other. */
export function requireActive(standing: Standing): Account {
  if (standing.state === 'active') return standing.user;
  throw standing.state === 'revoked' ? blacklisted() : noActiveAccount();
}
