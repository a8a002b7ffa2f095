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
  return db<SealedToken>('authtoken')
    .where({ user_id: userId })
    .first('user_id', 'digest', 'ciphertext', 'key_id', 'created');
}

/** False where the user has a token already: the primary key decides between two racing logins. */
export async function insertSealedToken(token: SealedToken, db: Knex): Promise<boolean> {
  const rows = await db<SealedToken>('authtoken')
    .insert(token)
    .onConflict('user_id')
    .ignore()
    .returning('user_id');
  return rows.length === 1;
}

export async function replaceSealedToken(token: SealedToken, db: Knex): Promise<void> {
  await db<SealedToken>('authtoken').insert(token).onConflict('user_id').merge();
}

/** Nothing to end is no failure: the outcome is the same. */
export async function deleteSealedToken(userId: number, db: Knex): Promise<void> {
  await db('authtoken').where({ user_id: userId }).delete();
}

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
  return (await db<SealedToken>('authtoken').where({ digest }).delete()) === 1;
}
