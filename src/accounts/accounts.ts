import { insertSealedToken } from '../authtoken/repository.ts';
import { generateKey, sealToken } from '../authtoken/tokens.ts';
import type { Account, User } from '../db.ts';
import type { Deps, RequestDeps } from '../deps.ts';
import { NotFound, refuseProblems } from '../errors.ts';
import { emailProblems, normalizeEmail } from '../users/emails.ts';
import { insertUser, setEmail } from '../users/repository.ts';
import type { NewUser } from '../users/repository.ts';

/** `password` is an encoded hash; `token` is a key to take over, null makes none. */
export type NewAccount = NewUser & { token?: string | null };

/** Makes an account and its opaque token in one transaction: the `post_save` signal of DRF's documentation. */
export async function createAccount(account: NewAccount, deps: Deps): Promise<User> {
  return deps.db.transaction((trx) => insertAccount(account, { ...deps, db: trx }));
}

/** The same within a transaction. */
export async function insertAccount(
  { token = generateKey(), ...fields }: NewAccount,
  deps: Deps,
): Promise<User> {
  const user = await insertUser(fields, deps.db);
  if (token !== null) await insertSealedToken(sealToken(token, user.id, deps), deps.db);
  return user;
}

/** Another e-mail address for the user, or none where it is blank. Throws NotFound where the user was just deleted. */
export async function changeEmail(
  id: number,
  typed: string,
  { db, live }: RequestDeps,
): Promise<Account> {
  const email = normalizeEmail(typed);
  refuseProblems({ email: emailProblems(email) });
  const changed = await setEmail({ id, email }, db);
  if (!changed) throw new NotFound();
  await live.catchUp();
  return changed;
}
