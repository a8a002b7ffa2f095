import { randomUUID } from 'node:crypto';
import { createAccount } from '../../src/accounts/accounts.ts';
import { getOrCreateToken } from '../../src/authtoken/tokens.ts';
import type { User } from '../../src/db.ts';
import { hashPassword } from '../../src/users/passwords.ts';
import type { NewUser } from '../../src/users/repository.ts';
import type { Deps } from '../../src/deps.ts';
import type { TestApp } from './app.ts';

export interface TestUser extends User {
  /** As typed; the hash is in the database. */
  plain: string;
  token: string;
}

/** A user with a token, unless told otherwise: active, no staff. */
export async function createUser(
  { deps }: { deps: Deps },
  fields: Partial<NewUser> = {},
): Promise<TestUser> {
  const plain = `correct horse ${randomUUID()}`;
  const password = await hashPassword(plain, deps.config);
  const user = await createAccount(
    { username: `user-${randomUUID().slice(0, 8)}`, password, ...fields },
    deps,
  );
  return { ...user, plain, token: await getOrCreateToken(user.id, deps) };
}

export interface Session {
  access: string;
  refresh: string;
}

export async function logIn({ client }: Pick<TestApp, 'client'>, user: TestUser): Promise<Session> {
  const { body } = await client.post('/login/', {
    json: { username: user.username, password: user.plain },
  });
  return body as Session; // the contract was checked by the client
}
