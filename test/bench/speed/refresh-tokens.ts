import { v7 as uuidv7 } from 'uuid';
import { issueToken, newTimes, sessionClaims, toDate } from '../../../src/jwt/claims.ts';
import { inTurn } from '../turns.ts';
import type { Stage } from './stage.ts';

const BATCH = 2000;

/** The refresh tokens of new sessions, opened without the logins: many at once. */
export async function makeRefreshTokens(
  count: number,
  { deps, users }: Pick<Stage, 'deps' | 'users'>,
): Promise<string[]> {
  const now = deps.now();
  const made = Array.from({ length: count }, (_, index) => {
    const user = inTurn(users, index);
    const id = uuidv7({ msecs: now.getTime() });
    const times = newTimes(deps.config.REFRESH_TOKEN_LIFETIME, now);
    return {
      token: issueToken('refresh', sessionClaims(user, id, deps), times, deps.config),
      family: {
        id,
        user_id: user.id,
        token_version: user.token_version,
        current_jti: times.jti,
        created_at: now,
        expires_at: toDate(times.exp),
      },
    };
  });
  await deps.db.batchInsert(
    'token_family',
    made.map(({ family }) => family),
    BATCH,
  );
  return made.map(({ token }) => token);
}
