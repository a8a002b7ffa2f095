import type { Knex } from 'knex';
import type { User } from '../db.ts';
import { OperatorError } from '../errors.ts';
import { findUserByUsername } from '../users/repository.ts';
import { normalizeUsername } from '../users/usernames.ts';

/** The user a command is about; throws OperatorError, with what the command cannot do, where there is none. */
export async function findNamedUser(name: string, cannot: string, db: Knex): Promise<User> {
  const user = await findUserByUsername(normalizeUsername(name), db);
  if (!user) throw new OperatorError(`${cannot}: user ${name} does not exist.`);
  return user;
}
