import type { Knex } from 'knex';

/** Under what an answer is found: a key belongs to one user, and means something else at each operation. */
export interface Scope {
  user_id: number;
  operation: string;
  key: string;
}

/** What the first request said, and what it was. */
export interface KeptAnswer<Status, Body> {
  fingerprint: Buffer;
  status: Status;
  body: Body;
}

/** Until the end of the transaction, or false at once where another one holds the key. */
export async function tryToHold({ user_id, operation, key }: Scope, trx: Knex): Promise<boolean> {
  const { rows } = await trx.raw<{ rows: { held: boolean }[] }>(
    'SELECT pg_try_advisory_xact_lock(hashtextextended(?, 0)) AS held',
    [`idempotency_key ${user_id} ${operation} ${key}`],
  );
  return rows[0]?.held === true;
}

/** For who holds the key, in a statement of its own: that of the lock does not see what was committed just before. */
export async function findAnswer<Status, Body>(
  scope: Scope,
  now: Date,
  trx: Knex,
): Promise<KeptAnswer<Status, Body> | undefined> {
  return trx('idempotency_key')
    .where(scope)
    .where('expires_at', '>', now)
    .first('fingerprint', 'status', 'body');
}

/** In place of one that has expired, if there is one; false where there is another, whoever kept it without the key. */
export async function keepAnswer(
  { body, ...answer }: Scope & KeptAnswer<number, unknown> & { expires_at: Date },
  now: Date,
  trx: Knex,
): Promise<boolean> {
  const rows = await trx('idempotency_key')
    .insert({ ...answer, body: JSON.stringify(body) })
    .onConflict(['user_id', 'operation', 'key'])
    .merge()
    .where('idempotency_key.expires_at', '<=', now)
    .returning('id');
  return rows.length === 1;
}
