import type { Knex } from 'knex';
import { insertUser } from '../../src/users/repository.ts';

/** Somebody for products to belong to; the id. */
export async function insertOwner(db: Knex, username = 'owner'): Promise<number> {
  const { id } = await insertUser({ username, password: '!' }, db);
  return id;
}
