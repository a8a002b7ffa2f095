import type { Knex } from 'knex';
import { startProgress } from '../../src/commands/progress.ts';

const BATCH = 50_000;

/**
 * Adds `count` families of the users there are, made over the last day; `expired` of them, spread evenly, have
 * expired an hour ago.
 */
export async function addFamilies(
  count: number,
  { expired }: { expired: number },
  db: Knex,
): Promise<void> {
  const progress = startProgress('Families', count);
  for (let first = 1; first <= count; first += BATCH) {
    const last = Math.min(first + BATCH - 1, count);
    await db.transaction(async (trx) => {
      // No look at `users` for each row: the owners are there.
      await trx.raw('SET LOCAL session_replication_role = replica');
      await trx.raw(INSERT, { first, last, count, expired });
    });
    progress.advanceTo(last);
  }
  progress.stop();
}

// The ids are UUIDs of version 7: the time of the making in milliseconds, then noise.
const INSERT = `
  INSERT INTO token_family (id, user_id, token_version, current_jti, created_at, expires_at, user_agent, ip)
  SELECT
    (lpad(to_hex((extract(epoch FROM made) * 1000)::bigint), 12, '0') || '7' || substr(noise, 14))::uuid,
    owners.ids[1 + n % cardinality(owners.ids)], 0, noise, made,
    -- As many of the first n are expired as their share is.
    CASE WHEN n * :expired::bigint / :count::bigint > (n - 1) * :expired::bigint / :count::bigint
      THEN now() - interval '1 hour' ELSE now() + interval '1 day' END,
    'latchkey bench', '127.0.0.1'
  FROM (SELECT array_agg(id) AS ids FROM users) AS owners,
    generate_series(:first::bigint, :last::bigint) AS n,
    LATERAL (SELECT now() - (:count::bigint - n) * interval '1 day' / :count::bigint AS made) AS clock,
    LATERAL (SELECT md5(n::text || clock_timestamp()) AS noise) AS dice`;

export async function countFamilies(db: Knex): Promise<{ live: number; expired: number }> {
  const { rows } = await db.raw<{ rows: { live: number; expired: number }[] }>(
    `SELECT count(*) FILTER (WHERE expires_at > now()) AS live,
       count(*) FILTER (WHERE expires_at <= now()) AS expired FROM token_family`,
  );
  const [row] = rows;
  if (!row) throw new Error('count(*) returned no row');
  return row;
}
