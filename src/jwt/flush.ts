import type { Knex } from 'knex';
import type { Deps } from '../deps.ts';
import { revocationSeconds } from '../revocation/live.ts';

export interface Flush {
  /** How many rows one statement looks at. */
  batch: number;
  dryRun: boolean;
  /** Told after each statement how many rows were looked at so far; the next one waits for it. */
  onBatch: (seen: number) => unknown;
}

/** As much at a time, and then as long for the requests of others. */
export const GENTLY = { batch: 500, pauseMs: 20 };

interface FamilyPage {
  last_id: string | null;
  seen: number;
  expired: number;
}

/**
 * Deletes the families that expired before then; how many there were. Walks the primary key (UUID v7:
 * the order of their making), so that no statement scans the table and no index on expires_at slows
 * every rotation.
 */
export async function flushExpiredFamilies(
  before: Date,
  { batch, dryRun, onBatch }: Flush,
  { db }: Pick<Deps, 'db'>,
): Promise<number> {
  let after = '00000000-0000-0000-0000-000000000000';
  let [seen, expired] = [0, 0];
  for (;;) {
    const { rows } = await db.raw<{ rows: FamilyPage[] }>(dryRun ? COUNT_PAGE : DELETE_PAGE, {
      after,
      batch,
      before,
    });
    const [page] = rows;
    if (!page?.last_id) return expired;
    after = page.last_id;
    seen += page.seen;
    expired += page.expired;
    await onBatch(seen);
  }
}

const PAGE = `
  page AS MATERIALIZED (
    SELECT id, expires_at FROM token_family WHERE id > :after ORDER BY id LIMIT :batch)`;
const POSITION = `(SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last_id, (SELECT count(*) FROM page) AS seen`;

// The row itself is asked once more: a rotation may have prolonged it since the page was read. Who holds one
// is not waited for; it comes with the next flush.
const DELETE_PAGE = `
  WITH ${PAGE},
  expired AS MATERIALIZED (
    SELECT f.id FROM token_family AS f JOIN page USING (id)
    WHERE page.expires_at <= :before AND f.expires_at <= :before FOR UPDATE OF f SKIP LOCKED),
  gone AS (DELETE FROM token_family AS f USING expired WHERE f.id = expired.id RETURNING 1)
  SELECT ${POSITION}, (SELECT count(*) FROM gone) AS expired`;

const COUNT_PAGE = `
  WITH ${PAGE}
  SELECT ${POSITION}, (SELECT count(*) FROM page WHERE expires_at <= :before) AS expired`;

/** Deletes the blacklisted tokens that expired before then; how many there were. */
export async function flushBlacklistedTokens(
  before: Date,
  options: Flush,
  { db }: Pick<Deps, 'db'>,
): Promise<number> {
  return flushByTime(
    { table: 'blacklisted_token', key: 'jti', time: 'expires_at' },
    before,
    options,
    db,
  );
}

// Replicas may hold tokens to be longer-lived than whoever flushes.
const REVOCATIONS_KEPT_MS = 7 * 86_400_000;

/** Deletes the revocations that were noted a week before then; how many there were. */
export async function flushRevocations(
  then: Date,
  options: Flush,
  { db }: Pick<Deps, 'db'>,
): Promise<number> {
  const before = new Date(then.getTime() - REVOCATIONS_KEPT_MS);
  return flushByTime({ table: 'revocation', key: 'id', time: 'revoked_at' }, before, options, db);
}

/** Deletes the answers that were kept for retries until then at the latest; how many there were. */
export async function flushIdempotencyKeys(
  before: Date,
  options: Flush,
  { db }: Pick<Deps, 'db'>,
): Promise<number> {
  return flushByTime(
    { table: 'idempotency_key', key: 'id', time: 'expires_at' },
    before,
    options,
    db,
  );
}

/** Deletes what was counted in a time that ended before then; how many counts there were. */
export async function flushRates(
  before: Date,
  { batch, dryRun, onBatch }: Flush,
  { db }: Pick<Deps, 'db'>,
): Promise<number> {
  const ended = () => db('rate_limit').where('expire', '<=', before.getTime());
  if (dryRun) return Number((await ended().count('* as ended').first())?.ended ?? 0);
  let deleted = 0;
  for (;;) {
    const some = ended().limit(batch).forUpdate().skipLocked().select('key');
    const gone = await db('rate_limit').whereIn('key', some).delete();
    deleted += gone;
    await onBatch(deleted);
    if (gone < batch) return deleted;
  }
}

/** A table with an index on a time. */
interface Timed {
  table: 'blacklisted_token' | 'revocation' | 'idempotency_key' | 'audit_event';
  key: string;
  time: string;
}

async function flushByTime(
  timed: Timed,
  before: Date,
  { batch, dryRun, onBatch }: Flush,
  db: Knex,
): Promise<number> {
  if (dryRun) {
    const [row] = await db(timed.table).where(timed.time, '<=', before).count('* as expired');
    return Number(row?.expired ?? 0);
  }
  let since = new Date(0);
  let deleted = 0;
  for (;;) {
    const times = await deleteBatch(timed, { since, before, batch }, db);
    deleted += times.length;
    await onBatch(deleted);
    if (times.length < batch) return deleted;
    since = new Date(Math.max(...times.map((time) => time.getTime())));
  }
}

// `since` keeps a batch from walking over the dead index entries of those before it.
async function deleteBatch(
  { table, key, time }: Timed,
  { since, before, batch }: { since: Date; before: Date; batch: number },
  db: Knex,
): Promise<Date[]> {
  const expired = db(table)
    .whereBetween(time, [since, before])
    .orderBy(time)
    .limit(batch)
    .forUpdate()
    .skipLocked()
    .select(key);
  const rows: Record<string, Date>[] = await db(table)
    .whereIn(key, expired)
    .delete()
    .returning(time);
  return rows.flatMap((row) => row[time] ?? []);
}

/** What the planner believes, since counting would scan the table: good enough for a progress bar. */
export async function estimateRows(
  table: (typeof FLUSHED)[number]['table'],
  db: Knex,
): Promise<number> {
  const { rows } = await db.raw<{ rows: { estimate: number }[] }>(
    'SELECT greatest(reltuples, 0)::bigint AS estimate FROM pg_class WHERE oid = ?::regclass',
    [table],
  );
  return rows[0]?.estimate ?? 0;
}

/** Everything that expires, and how it is deleted. */
export const FLUSHED = [
  { table: 'token_family', label: 'Sessions', flush: flushExpiredFamilies },
  { table: 'blacklisted_token', label: 'Blacklisted tokens', flush: flushBlacklistedTokens },
  { table: 'revocation', label: 'Revocations', flush: flushRevocations },
  { table: 'idempotency_key', label: 'Idempotency keys', flush: flushIdempotencyKeys },
  { table: 'rate_limit', label: 'Rates', flush: flushRates },
  { table: 'audit_event', label: 'Audit trail', flush: flushAuditTrail },
] as const;

/** Deletes of the audit trail what is older than AUDIT_RETENTION; how many events there were. */
export async function flushAuditTrail(
  _before: Date,
  options: Flush,
  { config, db, now }: Deps,
): Promise<number> {
  const { AUDIT_RETENTION } = config;
  if (AUDIT_RETENTION === 0) return 0;
  const before = new Date(now().getTime() - AUDIT_RETENTION * 1000);
  return flushByTime({ table: 'audit_event', key: 'id', time: 'at' }, before, options, db);
}

/** What expired before then concerns no token any more: the last access token of a session outlives it. */
export function flushedBefore({ config, now }: Pick<Deps, 'config' | 'now'>): Date {
  return new Date(now().getTime() - revocationSeconds(config) * 1000);
}
