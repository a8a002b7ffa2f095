import type { Knex } from 'knex';
import type { OperationResponse } from '../contract.ts';
import { wireTime } from '../db.ts';
import type { Account } from '../db.ts';
import type { SessionBounds } from './session-bounds.ts';

/** A family as its user sees it: the times are text. */
export type Session = Extract<
  OperationResponse<'listSessions'>,
  { status: 200 }
>['body']['results'][number];
export type SessionQuery = Knex.QueryBuilder<Session, Session[]>;

/** A user, of the version that was authenticated: sessions of another one are over. */
type Owner = Pick<Account, 'id' | 'token_version'>;

interface Live extends SessionBounds {
  /** What expired by then is over. */
  expiredBy: Date;
}

const unended = ({ id, token_version }: Owner, db: Knex): Knex.QueryBuilder =>
  db('token_family').where({ user_id: id, token_version, revoked_at: null });

/** The families of a user that neither ended nor expired. */
const liveFamilies = (
  owner: Owner,
  { expiredBy, startedAfter, usedAfter }: Live,
  db: Knex,
): Knex.QueryBuilder =>
  unended(owner, db)
    .where('expires_at', '>', expiredBy)
    .where('created_at', '>', startedAfter)
    .whereRaw('coalesce(last_used_at, created_at) > ?', [usedAfter]);

export async function countSessions(
  owner: Owner,
  { except, ...bounds }: Live & { except: string | undefined },
  db: Knex,
): Promise<number> {
  const families = liveFamilies(owner, bounds, db);
  if (except !== undefined) families.whereNot('id', except);
  const row: { count: number } | undefined = await families.count('* as count').first();
  return row?.count ?? 0;
}

/** The live sessions in wire form, for pages to narrow; `current` is the one with the id `currentId`. */
export function selectSessions(
  owner: Owner,
  { currentId, ...bounds }: Live & { currentId: string | undefined },
  db: Knex,
): SessionQuery {
  const times = ['created_at', 'last_used_at', 'expires_at'].map((column) =>
    wireTime('token_family', column, db),
  );
  return liveFamilies(owner, bounds, db).select<Session[]>(
    'id',
    ...times,
    'user_agent',
    db.raw('host(ip) AS ip'),
    db.raw('id IS NOT DISTINCT FROM ?::uuid AS current', [currentId ?? null]),
  );
}

interface Ending {
  now: Date;
  /** The one to end; left out: all of them … */
  only?: string;
  /** … but this one. */
  except?: string;
  /** At most so many. */
  limit: number;
}

/** Ends sessions of a user, also one that is over, whose last tokens may still be out. How many there were. */
export async function endSessions(
  owner: Owner,
  { now, only, except, limit }: Ending,
  db: Knex,
): Promise<number> {
  const families = unended(owner, db).limit(limit).select('id');
  if (only !== undefined) families.where('id', only);
  if (except !== undefined) families.whereNot('id', except);
  return db('token_family')
    .whereIn('id', families)
    .where({ revoked_at: null })
    .update({ revoked_at: now, revoked_reason: 'ended' });
}
