import type { Knex } from 'knex';
import type { Account, User } from '../db.ts';
import { ValidationError } from '../errors.ts';
import type { Reason } from '../errors.ts';
import { statement } from '../statement.ts';

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

/** Django's reason against a value that another user has. */
export const takenProblem = (field: 'id' | 'username'): Reason => ({
  detail: `A user with that ${field} already exists.`,
  code: 'unique',
});

const ACCOUNT_COLUMNS = COLUMNS.filter((column) => column !== 'password');

/** The columns of an Account, for SQL in which `users` has another name. */
export function accountColumns(table: string): string {
  return ACCOUNT_COLUMNS.map((column) => `${table}.${column}`).join(', ');
}

export async function findAccountById(id: number, db: Knex): Promise<Account | undefined> {
  return (await selectAccount({ id }, db))[0];
}

const selectAccount = statement<{ id: number }, Account>('find account', (builder, { id }) =>
  builder('users').where({ id }).select(ACCOUNT_COLUMNS),
);

export async function findUserById(id: number, db: Knex): Promise<User | undefined> {
  return (await selectById({ id }, db))[0];
}

const selectById = statement<{ id: number }, User>('find user', (builder, { id }) =>
  builder('users').where({ id }).select(COLUMNS),
);

/** By the exact canonical text: see `normalizeUsername`. */
export async function findUserByUsername(username: string, db: Knex): Promise<User | undefined> {
  return (await selectByUsername({ username }, db))[0];
}

const selectByUsername = statement<{ username: string }, User>(
  'find user by name',
  (builder, { username }) => builder('users').where({ username }).select(COLUMNS),
);

// The text of an index: see its migration.
const folded = (text: string): string => `lower(upper(${text}))`;

/** Whether somebody has the name, in whatever case. */
export async function isUsernameTaken(username: string, db: Knex): Promise<boolean> {
  const { rows } = await db.raw<{ rows: unknown[] }>(
    `SELECT 1 FROM users WHERE ${folded('username')} = ${folded('?::text')} LIMIT 1`,
    [username],
  );
  return rows.length > 0;
}

/**
 * Within a transaction: keeps every other registration from the name, in whatever case, until the transaction ends, and
 * throws where the name is taken. The look-up is a statement of its own, which sees what the holder before us stored.
 */
export async function reserveUsername(username: string, trx: Knex): Promise<void> {
  const lock = `SELECT pg_advisory_xact_lock(hashtextextended(${folded('?::text')}, 0))`;
  await trx.raw(lock, [username]);
  if (await isUsernameTaken(username, trx))
    throw new ValidationError({ username: [takenProblem('username')] });
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
  return new ValidationError({ [field]: [takenProblem(field)] }, { cause: error });
}

type NewEmail = Pick<User, 'id' | 'email'>;

export async function setEmail(change: NewEmail, db: Knex): Promise<Account | undefined> {
  return (await updateEmail(change, db))[0];
}

const updateEmail = statement<NewEmail, Account>('set email', (builder, { id, email }) =>
  builder('users').where({ id }).update({ email }).returning(ACCOUNT_COLUMNS),
);

export interface NewPassword {
  id: number;
  password: string;
  now: Date;
  /** The version that the decision was made on; left out, any will do. */
  token_version?: number;
}

/**
 * A real change: ends every session of the user (those of another token_version are over), its opaque
 * token, and what simplejwt issued before. False: no such user, or another version by now, for a change of the
 * password or a deactivation came first.
 */
export async function setPassword(
  { id, password, now, ...version }: NewPassword,
  db: Knex,
): Promise<boolean> {
  return db.transaction(async (trx) => {
    const changed = await trx<User>('users')
      .where({ id, ...version })
      .update({
        password,
        token_version: trx.raw('token_version + 1'),
        tokens_valid_from: notBefore(now, trx),
      });
    if (changed === 1) await trx('authtoken').where({ user_id: id }).delete();
    return changed === 1;
  });
}

// Two clocks may differ, the database's and ours: what ended once does not come back.
const notBefore = (now: Date, db: Knex): Knex.Raw =>
  db.raw('greatest(tokens_valid_from, ?)', [now]);

/** Ends all sessions of the user, and what another system issued before `now`. */
export async function endAllTokens(
  { id, now }: { id: number; now: Date },
  db: Knex,
): Promise<void> {
  await db<User>('users')
    .where({ id })
    .update({
      token_version: db.raw('token_version + 1'),
      tokens_valid_from: notBefore(now, db),
    });
}

/** Ends what another system issued to the user before `now`: tokens of no session. */
export async function endForeignTokens(
  { id, now }: { id: number; now: Date },
  db: Knex,
): Promise<void> {
  await db<User>('users')
    .where({ id })
    .update({ tokens_valid_from: notBefore(now, db) });
}

/**
 * Within a transaction: whether the account is active and of the version that was authenticated. If so, neither a change
 * of its password nor a deactivation comes before the transaction's end.
 */
export async function holdAccount(
  { id, token_version }: Pick<User, 'id' | 'token_version'>,
  trx: Knex,
): Promise<boolean> {
  const row: { id: number } | undefined = await trx('users')
    .where({ id, token_version, is_active: true })
    .forShare()
    .first('id');
  return row !== undefined;
}

/**
 * Deactivation ends every session of the user for good (the database sees to it, whoever deactivates): activation
 * brings none of them back. False: no such user. The opaque token stays, and is refused meanwhile.
 */
export async function setActive(
  { id, is_active }: { id: number; is_active: boolean },
  db: Knex,
): Promise<boolean> {
  const changed = await db<User>('users').where({ id }).update({ is_active });
  return changed === 1;
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
