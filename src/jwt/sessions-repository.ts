import type { Knex } from 'knex';
import type { OperationResponse } from '../contract.ts';
import { wireTime } from '../db.ts';
import type { SessionBounds } from './session-bounds.ts';

/** A family as its user sees it: the times are text. */
export type Session = Extract<
  OperationResponse<'listSessions'>,
  { status: 200 }
>['body']['results'][number];
export type SessionQuery = Knex.QueryBuilder<Session, Session[]>;

interface Owner extends SessionBounds {
  userId: number;
  /** What expired by then is over. */
  expiredBy: Date;
}

/** The families of a user that neither ended nor expired. */
function liveFamilies(
  { userId, expiredBy, startedAfter, usedAfter }: Owner,
  db: Knex,
): Knex.QueryBuilder {
  return db('token_family')
    .where({ user_id: userId, revoked_at: null })
    .where('expires_at', '>', expiredBy)
    .where('created_at', '>', startedAfter)
    .whereRaw('coalesce(last_used_at, created_at) > ?', [usedAfter]);
}

/** The live sessions in wire form, for pages to narrow; `current` is the one with the id `currentId`. */
export function selectSessions(
  owner: Owner,
  currentId: string | undefined,
  db: Knex,
): SessionQuery {
  const times = ['created_at', 'last_used_at', 'expires_at'].map((column) =>
    wireTime('token_family', column, db),
  );
  return liveFamilies(owner, db).select<Session[]>(
    'id',
    ...times,
    'user_agent',
    db.raw('host(ip) AS ip'),
    db.raw('id IS NOT DISTINCT FROM ?::uuid AS current', [currentId ?? null]),
  );
}

/** Ends live sessions of a user: the one with the id `only`, or all `except` one. How many there were. */
export async function endSessions(
  { only, except, ...owner }: Owner & { only?: string; except?: string },
  db: Knex,
): Promise<number> {
  const families = liveFamilies(owner, db);
  if (only !== undefined) families.where('id', only);
  if (except !== undefined) families.whereNot('id', except);
  return families.update({ revoked_at: owner.now, revoked_reason: 'ended' });
}
