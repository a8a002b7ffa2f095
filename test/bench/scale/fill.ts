import type { Knex } from 'knex';
import pLimit from 'p-limit';
import type { LimitFunction } from 'p-limit';
import { startProgress } from '../../../src/commands/progress.ts';
import type { Progress } from '../../../src/commands/progress.ts';

/** A migrated, empty database, and how many rows each of its tables is to have. */
export interface ToFill {
  db: Knex;
  rows: number;
}

/** How many sessions a user has. */
export const SESSIONS_EACH = 10;

// As many at a time as there are cores; an index takes one of them.
const LANES = 2;
const TABLES = ['product', 'token_family', 'blacklisted_token'] as const;
type Table = (typeof TABLES)[number];

/**
 * Fills `rows` products, sessions and blacklisted tokens, and a tenth as many users, into each database. The tables
 * are filled without their indexes, which are made afterwards, word for word as the catalogue had them.
 */
export async function fill(databases: readonly ToFill[]): Promise<void> {
  const total = databases.reduce((sum, { rows }) => sum + rows * STEPS, 0);
  const progress = startProgress('Rows filled and indexed, and in order', total);
  const limit = pLimit(LANES);
  let done = 0;
  const advance = (rows: number): void => progress.advanceTo((done += rows));
  try {
    // The largest first: the small ones then fill the gaps.
    const largestFirst = databases.toSorted((a, b) => b.rows - a.rows);
    await Promise.all(largestFirst.map((one) => fillDatabase(one, limit, advance)));
  } finally {
    progress.stop();
  }
}

// Each table's rows, their indexes, and the vacuum.
const STEPS = TABLES.length * 3;

type Advance = Progress['advanceTo'];

async function fillDatabase(
  { db, rows }: ToFill,
  limit: LimitFunction,
  advance: Advance,
): Promise<void> {
  const users = Math.max(1, Math.floor(rows / SESSIONS_EACH));
  await limit(() => alone(db, (trx) => trx.raw(USERS, { users })));
  await Promise.all(
    TABLES.map(async (table) => {
      const indexes = await takeIndexes(table, db);
      await limit(() => alone(db, (trx) => trx.raw(FILLINGS[table], { rows, users })));
      advance(rows);
      await Promise.all(indexes.map(({ make }) => limit(() => alone(db, (trx) => trx.raw(make)))));
      if (table === 'product') await db.raw(NEXT_ID);
      await alone(db, (trx) => nameKey(table, indexes, trx));
      advance(rows);
      await limit(() => db.raw('VACUUM (ANALYZE) ??', [table]));
      // Not before: one that has begun by itself would keep the table from the other.
      await db.raw('ALTER TABLE ?? RESET (autovacuum_enabled)', [table]);
      advance(rows);
    }),
  );
  await db.raw('ANALYZE users');
}

async function alone(db: Knex, act: (trx: Knex) => Promise<unknown>): Promise<void> {
  await db.transaction(async (trx) => {
    for (const setting of SETTINGS) await trx.raw(`SET LOCAL ${setting}`);
    await act(trx);
  });
}

// No look at `users` for each row, and no note of each blacklisted token: replicas would have to read them all.
const SETTINGS = [
  'session_replication_role = replica',
  "maintenance_work_mem = '1GB'",
  'max_parallel_maintenance_workers = 0',
  'lock_timeout = 0',
];

async function nameKey(table: Table, indexes: readonly Index[], db: Knex): Promise<void> {
  for (const { name, isPrimary } of indexes)
    if (isPrimary)
      await db.raw('ALTER TABLE ?? ADD CONSTRAINT ?? PRIMARY KEY USING INDEX ??', [
        table,
        name,
        name,
      ]);
}

interface Index {
  name: string;
  make: string;
  isPrimary: boolean;
}

/** Drops the indexes of a table, the primary key included; how to make them again, the longest work first. */
async function takeIndexes(table: Table, db: Knex): Promise<Index[]> {
  const { rows } = await db.raw<{ rows: Index[] }>(
    `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS make, indisprimary AS "isPrimary"
     FROM pg_index WHERE indrelid = ?::regclass ORDER BY pg_get_indexdef(indexrelid) !~ 'gin', indisprimary`,
    [table],
  );
  // It would count the rows while they come, and hold the table.
  await db.raw('ALTER TABLE ?? SET (autovacuum_enabled = false)', [table]);
  for (const { name, isPrimary } of rows)
    await (isPrimary
      ? db.raw('ALTER TABLE ?? DROP CONSTRAINT ??', [table, name])
      : db.raw('DROP INDEX ??', [name]));
  return rows;
}

const USERS = `
  INSERT INTO users (username, password) SELECT 'user-' || n, '!' FROM generate_series(1, :users::int) AS n`;

// Products as those of `npm run manage -- seed`: the strides are primes, so that nothing repeats in step.
const PRODUCTS = `
  INSERT INTO product (id, name, description, price, stock, owner, created_at, updated_at)
  SELECT n,
    (array['Oak', 'Walnut', 'Brass', 'Linen', 'Glass', 'Copper', 'Wool', 'Slate', 'Birch', 'Cotton', 'Cork'])[1 + n % 11]
      || ' ' || (array['chair', 'table', 'lamp', 'shelf', 'bowl', 'mirror', 'blanket'])[1 + n / 11 % 7] || ' ' || n,
    (array['Made by hand', 'Made to order', 'From stock', 'Second choice', 'Restored'])[1 + n % 5]
      || ', ' || (array['small', 'medium', 'large'])[1 + n % 3] || ', ' || (n % 97 + 3) || ' cm.',
    (n * 7919 % 99991 + 1) / 100.0,
    CASE WHEN n % 13 = 0 THEN 0 ELSE n * 31 % 503 END,
    1 + n % :users::bigint, made, made
  FROM generate_series(1, :rows::bigint) AS n,
    LATERAL (SELECT now() - (:rows::bigint - n) * interval '1 second' AS made) AS clock`;

const NEXT_ID = `SELECT setval(pg_get_serial_sequence('product', 'id'), max(id)) FROM product`;

// Logins over the last day, by users in turn: what each of them has lies scattered over the table. The ids are UUIDs
// of version 7, the time of the making in milliseconds and then noise.
const FAMILIES = `
  INSERT INTO token_family (id, user_id, token_version, current_jti, created_at, expires_at, user_agent, ip)
  SELECT
    (lpad(to_hex((extract(epoch FROM made) * 1000)::bigint), 12, '0') || '7' || substr(noise, 14, 3) || '8' || substr(noise, 18))::uuid,
    1 + n % :users::bigint, 0, noise, made, now() + interval '2 days',
    'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0', '127.0.0.1'
  FROM generate_series(1, :rows::bigint) AS n,
    LATERAL (SELECT now() - (:rows::bigint - n) * interval '1 day' / :rows::bigint AS made) AS clock,
    LATERAL (SELECT md5(n::text) AS noise) AS dice`;

// Spread over all that a jti can be, as simplejwt's are, in their order, so that no sorting holds up the index.
const BLACKLISTED = `
  INSERT INTO blacklisted_token (jti, blacklisted_at, expires_at)
  SELECT lpad(to_hex((n * (2::numeric ^ 48 / :rows::numeric))::bigint), 12, '0') || substr(md5(n::text), 13),
    now(), now() - interval '12 hours' + n * interval '1 day' / :rows::bigint
  FROM generate_series(1, :rows::bigint - 1) AS n`;

const FILLINGS: Record<Table, string> = {
  product: PRODUCTS,
  token_family: FAMILIES,
  blacklisted_token: BLACKLISTED,
};
