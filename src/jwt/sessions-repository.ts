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

interface Position {
  /** The id of the last one before them; left out: from the edge. */
  after?: string | undefined;
  /** Of the ids, which is that of time. */
  order: 'asc' | 'desc';
}

const EDGES = {
  asc: { beyond: '>', until: '<=', edge: '00000000-0000-0000-0000-000000000000' },
  desc: { beyond: '<', until: '>=', edge: 'ffffffff-ffff-ffff-ffff-ffffffffffff' },
} as const;

// Bounded and ordered by the version, which is the same for all: were it only equal to it, the planner would look for
// the next session of a user who has very many among those of everybody, in the order of the primary key.
function unendedBeyond(
  { id, token_version }: Owner,
  { after, order }: Position,
  db: Knex,
): Knex.QueryBuilder {
  const { beyond, until, edge } = EDGES[order];
  return db('token_family')
    .where({ user_id: id, revoked_at: null })
    .whereRaw(`(token_version, id) ${beyond} (?, ?)`, [token_version, after ?? edge])
    .where('token_version', until, token_version)
    .orderBy(['token_version', 'id'].map((column) => ({ column, order })));
}

// What neither ended nor expired, of a user's families.
const IS_LIVE = `expires_at > :expiredBy AND created_at > :startedAfter
  AND coalesce(last_used_at, created_at) > :usedAfter`;

const COUNTED_AT_A_TIME = 10_000;

/** Counts by statements that look at so many rows each: a user of a million sessions has to be able to end them. */
export async function countSessions(
  owner: Owner,
  { except, ...bounds }: Live & { except: string | undefined },
  db: Knex,
): Promise<number> {
  let count = 0;
  let after: string | undefined;
  for (;;) {
    const families = unendedBeyond(owner, { after, order: 'asc' }, db)
      .limit(COUNTED_AT_A_TIME)
      .select(
        'id',
        db.raw(`${IS_LIVE} AND id IS DISTINCT FROM :except AS is_live`, {
          ...bounds,
          except: except ?? null,
        }),
      );
    const page: CountedPage | undefined = await db
      .with('page', families)
      .from('page')
      .first(
        db.raw(`count(*) FILTER (WHERE is_live) AS live, count(*) AS seen,
          (array_agg(id ORDER BY id DESC))[1] AS last_id`),
      );
    count += page?.live ?? 0;
    if (!page?.last_id || page.seen < COUNTED_AT_A_TIME) return count;
    after = page.last_id;
  }
}

interface CountedPage {
  live: number;
  seen: number;
  last_id: string | null;
}

/** The live sessions in wire form, from a position on; `current` is the one with the id `currentId`. */
export function selectSessions(
  owner: Owner,
  { currentId, ...bounds }: Live & { currentId: string | undefined },
  position: Position,
  db: Knex,
): SessionQuery {
  const times = ['created_at', 'last_used_at', 'expires_at'].map((column) =>
    wireTime('token_family', column, db),
  );
  const families = unendedBeyond(owner, position, db).whereRaw(IS_LIVE, { ...bounds });
  return families.select<Session[]>(
    'id',
    ...times,
    'user_agent',
    db.raw('host(ip) AS ip'),
    db.raw('id IS NOT DISTINCT FROM ?::uuid AS current', [currentId ?? null]),
  );
}

/** Ends a session of a user, also one that is over, whose last tokens may still be out. Whether there was one. */
export async function endSessionOf(
  owner: Owner,
  { id, now }: { id: string; now: Date },
  db: Knex,
): Promise<boolean> {
  return (await unended(owner, db).where({ id }).update(endedAt(now))) === 1;
}

// As many as a statement ends well within the time it has.
const ENDED_AT_A_TIME = 500;

/** The same for all sessions of a user but one, however many there are. */
export async function endOtherSessions(
  owner: Owner,
  { except, now }: { except: string; now: Date },
  db: Knex,
): Promise<void> {
  let after: string | undefined;
  do {
    const rows: { id: string }[] = await unendedBeyond(owner, { after, order: 'asc' }, db)
      .whereNot('id', except)
      .limit(ENDED_AT_A_TIME)
      .select('id');
    const ids = rows.map(({ id }) => id);
    if (ids.length > 0)
      await db('token_family')
        .whereRaw('id = ANY(?::uuid[])', [ids])
        .where({ revoked_at: null })
        .update(endedAt(now));
    after = ids.length === ENDED_AT_A_TIME ? ids.at(-1) : undefined;
  } while (after !== undefined);
}

const endedAt = (now: Date) => ({ revoked_at: now, revoked_reason: 'ended' });
