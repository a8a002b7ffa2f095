import type { Knex } from 'knex';

export interface Flush {
  /** How many rows one statement looks at. */
  batch: number;
  dryRun: boolean;
  /** Told after each statement how many rows were looked at so far. */
  onBatch: (seen: number) => void;
}

interface FamilyPage {
  last_id: string | null;
  seen: number;
  expired: number;
}

/**
 * Deletes the families that expired before `now`; how many there were. Walks the primary key (UUID v7:
 * the order of their making), so that no statement scans the table and no index on expires_at slows
 * every rotation.
 */
export async function flushExpiredFamilies(
  now: Date,
  { batch, dryRun, onBatch }: Flush,
  db: Knex,
): Promise<number> {
  let after = '00000000-0000-0000-0000-000000000000';
  let [seen, expired] = [0, 0];
  for (;;) {
    const { rows } = await db.raw<{ rows: FamilyPage[] }>(dryRun ? COUNT_PAGE : DELETE_PAGE, {
      after,
      batch,
      now,
    });
    const [page] = rows;
    if (!page?.last_id) return expired;
    after = page.last_id;
    seen += page.seen;
    expired += page.expired;
    onBatch(seen);
  }
}

const PAGE = `
  page AS MATERIALIZED (
    SELECT id, expires_at FROM token_family WHERE id > :after ORDER BY id LIMIT :batch)`;
const POSITION = `(SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last_id, (SELECT count(*) FROM page) AS seen`;

// The row itself is asked once more: a rotation may have prolonged it since the page was read.
const DELETE_PAGE = `
  WITH ${PAGE},
  gone AS (
    DELETE FROM token_family AS f USING page
    WHERE f.id = page.id AND page.expires_at <= :now AND f.expires_at <= :now RETURNING 1)
  SELECT ${POSITION}, (SELECT count(*) FROM gone) AS expired`;

const COUNT_PAGE = `
  WITH ${PAGE}
  SELECT ${POSITION}, (SELECT count(*) FROM page WHERE expires_at <= :now) AS expired`;

/** Deletes the blacklisted tokens that expired before `now`, by the index on expires_at; how many there were. */
export async function flushBlacklistedTokens(
  now: Date,
  { batch, dryRun, onBatch }: Flush,
  db: Knex,
): Promise<number> {
  if (dryRun) return countExpired(now, db);
  let since = new Date(0);
  let deleted = 0;
  for (;;) {
    const rows = await deleteExpired({ since, now, batch }, db);
    deleted += rows.length;
    onBatch(deleted);
    if (rows.length < batch) return deleted;
    since = rows.reduce(
      (latest, row) => (row.expires_at > latest ? row.expires_at : latest),
      since,
    );
  }
}

async function countExpired(now: Date, db: Knex): Promise<number> {
  const [row] = await db('blacklisted_token').where('expires_at', '<=', now).count('* as expired');
  return Number(row?.expired ?? 0);
}

// `since` keeps a batch from walking over the dead index entries of those before it.
async function deleteExpired(
  { since, now, batch }: { since: Date; now: Date; batch: number },
  db: Knex,
): Promise<{ expires_at: Date }[]> {
  const expired = db('blacklisted_token')
    .whereBetween('expires_at', [since, now])
    .orderBy('expires_at')
    .limit(batch)
    .select('jti');
  return db('blacklisted_token').whereIn('jti', expired).delete().returning('expires_at');
}

/** What the planner believes, since counting would scan the table: good enough for a progress bar. */
export async function estimateRows(
  table: 'token_family' | 'blacklisted_token',
  db: Knex,
): Promise<number> {
  const { rows } = await db.raw<{ rows: { estimate: number }[] }>(
    'SELECT greatest(reltuples, 0)::bigint AS estimate FROM pg_class WHERE oid = ?::regclass',
    [table],
  );
  return rows[0]?.estimate ?? 0;
}
