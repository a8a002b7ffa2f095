import type { Knex } from 'knex';
import type { Account } from '../db.ts';
import { statement } from '../statement.ts';
import { accountColumns } from '../users/repository.ts';

export interface SealedToken {
  user_id: number;
  digest: Buffer;
  ciphertext: Buffer;
  key_id: string;
  created: Date;
}

type Owned = Pick<SealedToken, 'user_id'>;

const COLUMNS = [
  'user_id',
  'digest',
  'ciphertext',
  'key_id',
  'created',
] as const satisfies (keyof SealedToken)[];

const row = (values: { readonly [Column in keyof SealedToken]: never }): object =>
  Object.fromEntries(COLUMNS.map((column) => [column, values[column]]));

export async function findTokenOwner(digest: Buffer, db: Knex): Promise<Account | undefined> {
  return (await selectOwner({ digest }, db))[0];
}

const selectOwner = statement<{ digest: Buffer }, Account>('find token owner', (builder, values) =>
  builder('users as u')
    .join('authtoken as t', 't.user_id', 'u.id')
    .where('t.digest', values.digest)
    .select(builder.raw(accountColumns('u'))),
);

export async function findSealedToken(userId: number, db: Knex): Promise<SealedToken | undefined> {
  return (await selectSealed({ userId }, db))[0];
}

const selectSealed = statement<{ userId: number }, SealedToken>(
  'find sealed token',
  (builder, { userId }) => builder('authtoken').where({ user_id: userId }).select(COLUMNS),
);

/** A user as authenticated. One statement sees the account and its token at one instant. */
type Holder = Pick<Account, 'id' | 'token_version'>;

/** Undefined where there is none, and where the account changed since it was authenticated. */
export async function findTokenOf(user: Holder, db: Knex): Promise<SealedToken | undefined> {
  return (await selectTokenOf(user, db))[0];
}

const IS_UNCHANGED = 'u.id = :id AND u.token_version = :token_version AND u.is_active';
const selectTokenOf = statement<Holder, SealedToken>(
  'find token of account',
  `SELECT ${COLUMNS.map((column) => `t.${column}`).join(', ')}
     FROM users AS u JOIN authtoken AS t ON t.user_id = u.id WHERE ${IS_UNCHANGED}`,
);

/** False where the user has a token already: the primary key decides between two racing logins. */
export async function insertSealedToken(token: SealedToken, db: Knex): Promise<boolean> {
  return (await insert(token, db)).length === 1;
}

const insert = statement<SealedToken, Owned>('insert token', (builder, values) =>
  builder('authtoken').insert(row(values)).onConflict('user_id').ignore().returning('user_id'),
);

export async function replaceSealedToken(token: SealedToken, db: Knex): Promise<void> {
  await replace(token, db);
}

const replace = statement<SealedToken, never>('replace token', (builder, values) =>
  builder('authtoken').insert(row(values)).onConflict('user_id').merge(),
);

/**
 * False where the account changed since it was authenticated: the same statement looks again, and waits for a
 * change that is under way. One that comes later ends this token as well.
 */
export async function replaceTokenOf(
  { id, token_version }: Holder,
  token: SealedToken,
  db: Knex,
): Promise<boolean> {
  return (await replaceOf({ ...token, id, token_version }, db)).length === 1;
}

const replaceOf = statement<Holder & SealedToken, Owned>(
  'replace token of account',
  `WITH account AS (SELECT u.id FROM users AS u WHERE ${IS_UNCHANGED} FOR SHARE)
     INSERT INTO authtoken (user_id, digest, ciphertext, key_id, created)
     SELECT id, :digest, :ciphertext, :key_id, :created FROM account
     ON CONFLICT (user_id) DO UPDATE SET (digest, ciphertext, key_id, created) =
       (excluded.digest, excluded.ciphertext, excluded.key_id, excluded.created)
     RETURNING user_id`,
);

/** Nothing to end is no failure: the outcome is the same. */
export async function deleteSealedToken(userId: number, db: Knex): Promise<void> {
  await deleteOf({ userId }, db);
}

const deleteOf = statement<{ userId: number }, never>('delete token of user', (builder, values) =>
  builder('authtoken').where({ user_id: values.userId }).delete(),
);

/** False where the row is not the one with `digest` any more: of two racing calls one replaces it. */
export async function exchangeSealedToken(
  digest: Buffer,
  token: SealedToken,
  db: Knex,
): Promise<boolean> {
  const changed = await db<SealedToken>('authtoken')
    .where({ user_id: token.user_id, digest })
    .update(token);
  return changed === 1;
}

/** Ends a token; its user's next login makes a new one. False: nobody had it. */
export async function deleteTokenByDigest(digest: Buffer, db: Knex): Promise<boolean> {
  return (await deleteByDigest({ digest }, db)).length === 1;
}

const deleteByDigest = statement<{ digest: Buffer }, Owned>('delete token', (builder, { digest }) =>
  builder('authtoken').where({ digest }).delete().returning('user_id'),
);
