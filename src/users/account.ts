import type { Account } from '../db.ts';
import type { RequestDeps } from '../deps.ts';
import { findAccountById } from './repository.ts';

/** As this replica remembers it, or as the database has it where memory cannot be believed. */
export async function findAccount(
  id: number,
  { db, live }: Pick<RequestDeps, 'db' | 'live'>,
): Promise<Account | undefined> {
  const read = (): Promise<Account | undefined> => findAccountById(id, db);
  return live.isFresh() ? live.remember('user', String(id), read) : read();
}
