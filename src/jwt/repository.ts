import type { Knex } from 'knex';
import type { Account } from '../db.ts';
import { statement } from '../statement.ts';
import { accountColumns } from '../users/repository.ts';
import { IS_WITHIN_BOUNDS } from './session-bounds.ts';
import type { SessionBounds } from './session-bounds.ts';

/** Where and when a family was used, for the list of sessions. */
export interface ClientInfo {
  ip: string;
  userAgent: string | undefined;
}

export interface NewFamily {
  id: string;
  jti: string;
  userId: number;
  now: Date;
  expiresAt: Date;
  client: ClientInfo;
}

export interface Rotation extends SessionBounds {
  familyId: string;
  userId: number;
  /** Of the token that was shown. */
  jti: string;
  /** Chosen by the caller, so that the statement can be repeated after a lost connection. */
  childJti: string;
  childExpiresAt: Date;
  /** After its login, a session ends whatever is done; null: never. */
  sessionSeconds: number | null;
  /** A parent rotated away after this instant gets its child again; null: never, whatever the clocks say. */
  graceSince: Date | null;
  revokeOnReuse: boolean;
}

export type RotationOutcome =
  | { outcome: 'won' | 'grace'; jti: string; rotatedAt: Date; expiresAt: Date; user: Account }
  | { outcome: 'reuse' };

/**
 * Opens the family of a login. False if the account is gone or inactive, or its password was changed since
 * the hash was verified: the same statement looks again, and waits for a change that is under way.
 */
export async function startFamily(
  { updateLastLogin, ...family }: StartedFamily & { updateLastLogin: boolean },
  db: Knex,
): Promise<boolean> {
  const start = updateLastLogin ? startRecorded : startUnrecorded;
  return (await start(columnsOf(family), db)).length === 1;
}

/** With what was verified of the account. */
type StartedFamily = NewFamily & { password: string; tokenVersion: number };

const IS_UNCHANGED =
  'id = :userId AND password = :password AND token_version = :tokenVersion AND is_active';
const startRecorded = startWith(
  'start recorded family',
  `UPDATE users SET last_login = :now WHERE ${IS_UNCHANGED} RETURNING id, token_version`,
);
const startUnrecorded = startWith(
  'start family',
  `SELECT id, token_version FROM users WHERE ${IS_UNCHANGED} FOR SHARE`,
);

function startWith(name: string, account: string) {
  return statement<Columns<StartedFamily>, { id: string }>(
    name,
    `WITH account AS (${account})
       INSERT INTO token_family (id, user_id, token_version, current_jti, created_at, expires_at, user_agent, ip)
       SELECT :id, id, token_version, :jti, :now, :expiresAt, :userAgent, :ip FROM account
       RETURNING id`,
  );
}

/**
 * ONE statement decides between concurrent uses of a refresh token. PostgreSQL evaluates it on the newest
 * version of the row after a lock wait, so exactly one caller wins. Undefined: no live family (revoked,
 * or the account is gone, inactive or has a newer token_version).
 */
export async function rotateFamily(
  rotation: Rotation,
  db: Knex,
): Promise<RotationOutcome | undefined> {
  const [row] = await rotate(rotation, db);
  if (!row) return undefined;
  const { outcome, current_jti: jti, rotated_at: rotatedAt, expires_at: expiresAt, ...user } = row;
  return outcome === 'reuse' ? { outcome } : { outcome, jti, rotatedAt, expiresAt, user };
}

interface RotationRow extends Account {
  outcome: 'won' | 'grace' | 'reuse';
  current_jti: string;
  rotated_at: Date;
  expires_at: Date;
}

const WINS = `f.current_jti = :jti`;
// What a repetition of a statement that already won finds.
const IS_DONE = `f.current_jti = :childJti`;
const IN_GRACE = `(f.previous_jti = :jti AND f.rotated_at > :graceSince)`;
const IS_REUSE = `NOT (${WINS} OR ${IS_DONE} OR coalesce(${IN_GRACE}, false))`;
const rotate = statement<Rotation, RotationRow>(
  'rotate family',
  `
  UPDATE token_family AS f SET
    current_jti = CASE WHEN ${WINS} THEN :childJti ELSE f.current_jti END,
    previous_jti = CASE WHEN ${WINS} THEN f.current_jti ELSE f.previous_jti END,
    generation = f.generation + CASE WHEN ${WINS} THEN 1 ELSE 0 END,
    rotated_at = CASE WHEN ${WINS} THEN :now ELSE f.rotated_at END,
    expires_at = CASE WHEN ${WINS}
      THEN least(:childExpiresAt, f.created_at + make_interval(secs => :sessionSeconds))
      ELSE f.expires_at END,
    last_used_at = CASE WHEN ${IS_REUSE} THEN f.last_used_at ELSE :now END,
    revoked_at = CASE WHEN ${IS_REUSE} AND :revokeOnReuse THEN :now ELSE f.revoked_at END,
    revoked_reason = CASE WHEN ${IS_REUSE} AND :revokeOnReuse THEN 'reuse' ELSE f.revoked_reason END
  FROM users AS u
  WHERE f.id = :familyId AND f.user_id = :userId AND f.revoked_at IS NULL
    AND u.id = f.user_id AND u.is_active AND u.token_version = f.token_version
    AND ${IS_WITHIN_BOUNDS}
  RETURNING ${accountColumns('u')}, f.current_jti, f.rotated_at, f.expires_at,
    CASE WHEN ${IS_DONE} THEN 'won' WHEN ${IN_GRACE} AND f.revoked_at IS NULL THEN 'grace' ELSE 'reuse' END AS outcome`,
);

/** Ends a live family. Tells whether it was alive, and which token was its current one. */
export async function revokeFamily(
  family: EndedFamily,
  db: Knex,
): Promise<{ current_jti: string } | undefined> {
  return (await revoke(family, db))[0];
}

interface EndedFamily {
  familyId: string;
  userId: number;
  reason: string;
  now: Date;
}

const revoke = statement<EndedFamily, { current_jti: string }>(
  'revoke family',
  (builder, { familyId, userId, reason, now }) =>
    builder('token_family')
      .where({ id: familyId, user_id: userId, revoked_at: null })
      .where('token_version', builder('users').where({ id: userId }).select('token_version'))
      .update({ revoked_at: now, revoked_reason: reason })
      .returning('current_jti'),
);

/**
 * Rotates a token that belongs to no family (simplejwt issued it) into one of its own: its row in
 * blacklisted_token decides between concurrent uses. The token's user; undefined if it was used up before,
 * or the account is not there, inactive, or has changed since the token was issued in a way that ends tokens.
 */
export async function adoptToken(family: AdoptedFamily, db: Knex): Promise<Account | undefined> {
  return (await adopt(columnsOf(family), db))[0];
}

type AdoptedFamily = NewFamily & {
  parentJti: string;
  parentIssuedAt: Date;
  parentExpiresAt: Date;
};

const adopt = statement<Columns<AdoptedFamily>, Account>(
  'adopt token',
  `WITH account AS (
       SELECT ${accountColumns('u')} FROM users AS u
       WHERE id = :userId AND is_active AND coalesce(tokens_valid_from <= :parentIssuedAt, true)
       FOR SHARE),
     used AS (
       INSERT INTO blacklisted_token (jti, family_id, blacklisted_at, expires_at)
       SELECT :parentJti, :id, :now, :parentExpiresAt FROM account
       ON CONFLICT (jti) DO NOTHING RETURNING jti),
     opened AS (
       INSERT INTO token_family (id, user_id, token_version, generation, current_jti, previous_jti,
         rotated_at, created_at, expires_at, last_used_at, user_agent, ip)
       SELECT :id, account.id, token_version, 1, :jti, used.jti, :now, :now, :expiresAt, :now, :userAgent, :ip
       FROM account, used RETURNING id)
     SELECT account.* FROM account, opened`,
);

interface UsedUpToken {
  jti: string;
  expiresAt: Date;
  now: Date;
}

/** False if the token was blacklisted or rotated before. */
export async function blacklistToken(token: UsedUpToken, db: Knex): Promise<boolean> {
  return (await blacklist(token, db)).length === 1;
}

const blacklist = statement<UsedUpToken, { jti: string }>(
  'blacklist token',
  (builder, { jti, now, expiresAt }) =>
    builder('blacklisted_token')
      .insert({ jti, blacklisted_at: now, expires_at: expiresAt })
      .onConflict('jti')
      .ignore()
      .returning('jti'),
);

/** The row of a used-up token without family; `family_id` is the family it was rotated into. */
export async function findBlacklistedToken(
  jti: string,
  db: Knex,
): Promise<{ family_id: string | null } | undefined> {
  return (await selectBlacklisted({ jti }, db))[0];
}

const selectBlacklisted = statement<{ jti: string }, { family_id: string | null }>(
  'find blacklisted token',
  (builder, { jti }) => builder('blacklisted_token').where({ jti }).select('family_id'),
);

type Columns<Family extends NewFamily> = Omit<Family, 'client'> & {
  ip: string;
  userAgent: string | null;
};

function columnsOf<Family extends NewFamily>({ client, ...family }: Family): Columns<Family> {
  return { ...family, ip: client.ip, userAgent: client.userAgent?.slice(0, 512) ?? null };
}
