import type { User } from '../db.ts';
import type { Deps } from '../deps.ts';
import { refuseProblems } from '../errors.ts';
import type { Reason } from '../errors.ts';
import { emailProblems, normalizeEmail } from '../users/emails.ts';
import { passwordProblems } from '../users/password-rules.ts';
import { hashPassword } from '../users/passwords.ts';
import { isUsernameTaken, reserveUsername, takenProblem } from '../users/repository.ts';
import { normalizeUsername, registrationProblems } from '../users/usernames.ts';
import { insertAccount } from './accounts.ts';

interface Registration {
  username: string;
  password: string;
  email?: string;
}

/** Makes an account for a stranger (djoser's UserCreateSerializer); throws the reasons of all fields as one error. */
export async function registerAccount(wanted: Registration, deps: Deps): Promise<User> {
  const { config, db } = deps;
  const username = normalizeUsername(wanted.username);
  const email = normalizeEmail(wanted.email ?? '');
  refuseProblems({
    username: await nameProblems(username, deps),
    password: await passwordProblems(wanted.password, username, config),
    email: emailProblems(email),
  });
  const password = await hashPassword(wanted.password, config);
  return db.transaction(async (trx) => {
    await reserveUsername(username, trx);
    return insertAccount({ username, password, email }, { ...deps, db: trx });
  });
}

// Looked up here, so that a taken name is told with the rest and costs no hashing. The database decides later.
async function nameProblems(username: string, { db }: Deps): Promise<Reason[]> {
  const problems = registrationProblems(username);
  if (problems.length > 0) return problems;
  return (await isUsernameTaken(username, db)) ? [takenProblem('username')] : [];
}
