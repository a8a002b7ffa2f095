import type { Knex } from 'knex';
import type { Account } from '../db.ts';
import { statement } from '../statement.ts';
import { accountColumns } from '../users/repository.ts';
import { EVER, IS_WITHIN_BOUNDS } from './session-bounds.ts';
import type { SessionBounds } from './session-bounds.ts';

/** A token as it was verified, to be held against what the database knows. */
export interface StandingQuestion extends SessionBounds {
  userId: number;
  /** null: simplejwt issued the token. */
  familyId: string | null;
  jti: string;
  issuedAt: Date;
  /** A refresh token has to be the newest of its family; others only have to belong to a live one. */
  isRefresh: boolean;
}

/** Undefined where there is no such user. */
export async function findStanding(
  question: StandingQuestion,
  db: Knex,
): Promise<{ user: Account; isRevoked: boolean } | undefined> {
  return standingOfRow((await ask(question, db))[0]);
}

/** The same for a token that is being used: its session is marked as used, to the minute where no limit depends on it. */
export async function useStanding(
  question: StandingQuestion,
  db: Knex,
): Promise<{ user: Account; isRevoked: boolean } | undefined> {
  const { now, usedAfter } = question;
  const usedBefore = usedAfter === EVER ? new Date(now.getTime() - MARK_MS) : now;
  return standingOfRow((await mark({ ...question, usedBefore }, db))[0]);
}

type StandingRow = Account & { is_revoked: boolean };

function standingOfRow(
  row: StandingRow | undefined,
): { user: Account; isRevoked: boolean } | undefined {
  if (!row) return undefined;
  const { is_revoked: isRevoked, ...user } = row;
  return { user, isRevoked };
}

// A write at each use would cost more than the minute is worth.
const MARK_MS = 60_000;
const IS_CURRENT = `f.current_jti = :jti AND ${IS_WITHIN_BOUNDS}`;
const MARK_AS_USED = `
  WITH marked AS (
    UPDATE token_family AS f SET last_used_at = :now
    WHERE f.id = :familyId AND f.user_id = :userId AND f.revoked_at IS NULL AND ${IS_CURRENT}
      AND coalesce(f.last_used_at, f.created_at) < :usedBefore)`;
const STANDING = `
  SELECT ${accountColumns('u')},
    EXISTS (SELECT FROM blacklisted_token AS b WHERE b.jti = :jti)
    OR CASE WHEN :familyId::uuid IS NULL
      THEN coalesce(u.tokens_valid_from > :issuedAt, false)
      ELSE NOT EXISTS (
        SELECT FROM token_family AS f
        WHERE f.id = :familyId AND f.user_id = u.id AND f.revoked_at IS NULL
          AND f.token_version = u.token_version AND (NOT :isRefresh OR ${IS_CURRENT}))
      END AS is_revoked
  FROM users AS u WHERE u.id = :userId`;

const ask = statement<StandingQuestion, StandingRow>('find standing', STANDING);
const mark = statement<StandingQuestion & { usedBefore: Date }, StandingRow>(
  'use standing',
  `${MARK_AS_USED} ${STANDING}`,
);
