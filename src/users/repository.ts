import type { Knex } from 'knex';
import type { Account, User } from '../db.ts';
import { ValidationError } from '../errors.ts';

/** `password` is an encoded hash, `username` in its canonical form. */
export type NewUser = Pick<User, 'username' | 'password'> &
  Partial<Pick<User, 'id' | 'email' | 'is_active' | 'is_staff' | 'is_superuser' | 'date_joined'>>;

const COLUMNS = [
  'id',
  'username',
  'password',
  'email',
  'is_active',
  'is_staff',
  'is_superuser',
  'token_version',
  'tokens_valid_from',
  'date_joined',
  'last_login',
] as const satisfies (keyof User)[];

const ACCOUNT_COLUMNS = COLUMNS.filter((column) => column !== 'password');

/** The columns of an Account, for SQL in which `users` has another name. */
export function accountColumns(table: string): string {
  return ACCOUNT_COLUMNS.map((column) => `${table}.${column}`).join(', ');
}

export async function findAccountById(id: number, db: Knex): Promise<Account | undefined> {
  return db<Account>('users').where({ id }).first(ACCOUNT_COLUMNS);
}

export async function findUserById(id: number, db: Knex): Promise<User | undefined> {
  return db<User>('users').where({ id }).first(COLUMNS);
}

/** By the exact canonical text: see `normalizeUsername`. */
export async function findUserByUsername(username: string, db: Knex): Promise<User | undefined> {
  return db<User>('users').where({ username }).first(COLUMNS);
}

export async function insertUser(user: NewUser, db: Knex): Promise<User> {
  try {
    const [row] = await db<User>('users').insert(user).returning(COLUMNS);
    if (!row) throw new Error('INSERT … RETURNING returned no row');
    return row;
  } catch (error) {
    throw duplicateError(error) ?? error;
  }
}

// The constraint decides between two racing inserts; looking first would decide nothing.
function duplicateError(error: unknown): ValidationError | undefined {
  if (!(error instanceof Error && 'code' in error && 'constraint' in error)) return undefined;
  if (error.code !== '23505') return undefined;
  const field = error.constraint === 'users_pkey' ? 'id' : 'username';
  return new ValidationError(
    { [field]: [`A user with that ${field} already exists.`] },
    { cause: error },
  );
}

/** A real change: ends every session of the user, and what simplejwt issued before. False: no such user. */
export async function setPassword(
  { id, password, now }: { id: number; password: string; now: Date },
  db: Knex,
): Promise<boolean> {
  return db.transaction(async (trx) => {
    const changed = await trx<User>('users')
      .where({ id })
      .update({
        password,
        token_version: trx.raw('token_version + 1'),
        tokens_valid_from: now,
      });
    return changed === 1;
  });
}

/** The same password in today's notation: revokes nothing, and loses against a real change. */
export async function upgradePasswordHash(
  { id, from, to }: { id: number; from: string; to: string },
  db: Knex,
): Promise<boolean> {
  const changed = await db<User>('users').where({ id, password: from }).update({ password: to });
  return changed === 1;
}

/** The user with the lowest id. */
export async function findFirstUser(db: Knex): Promise<User | undefined> {
  return db<User>('users').orderBy('id').first(COLUMNS);
}

/**
 * After rows with ids of their own: the next id follows the highest. Never back, since the id of a deleted
 * user must not come to another one.
 */
export async function continueIds(db: Knex): Promise<void> {
  await db.raw(
    `SELECT setval(sequence, greatest(max(id), pg_sequence_last_value(sequence)))
     FROM users, (SELECT pg_get_serial_sequence('users', 'id')::regclass AS sequence) AS s
     GROUP BY sequence`,
  );
}
