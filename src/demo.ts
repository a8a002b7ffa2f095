import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createAccount } from './accounts/accounts.ts';
import { generateKey, getOrCreateToken } from './authtoken/tokens.ts';
import type { Deps } from './deps.ts';
import { insertProduct } from './products/repository.ts';
import { generatePassword } from './users/password-rules.ts';
import { hashPassword } from './users/passwords.ts';
import { findFirstUser, findUserByUsername } from './users/repository.ts';

export interface Demo {
  tokenFile: string;
  /** Known in the start that made the user, and never again. */
  login: { username: string; password: string } | undefined;
}

const USERNAME = 'demo';

const PRODUCTS = [
  { name: 'Oak chair', description: 'Solid oak, oiled.', price: '49.90', stock: 12 },
  { name: 'Walnut table', description: 'Seats six.', price: '389.00', stock: 3 },
  { name: 'Brass lamp', description: 'For reading late.', price: '74.50', stock: 0 },
];

// The token may have been ended since; the file is to hold one that works.
async function renewDemo(tokenFile: string, deps: Deps): Promise<Demo | undefined> {
  const user = await findUserByUsername(USERNAME, deps.db);
  if (!user?.is_active) return undefined;
  writeFileSync(tokenFile, await getOrCreateToken(user.id, deps), { mode: 0o600 });
  return { tokenFile, login: undefined };
}

/** On a database without users: a user to try the service with, and something to look at. */
export async function createDemo(deps: Deps): Promise<Demo | undefined> {
  const { config, db } = deps;
  const tokenFile = path.join(config.DATA_DIR, 'demo-token');
  if (await findFirstUser(db))
    return existsSync(tokenFile) ? renewDemo(tokenFile, deps) : undefined;

  const login = { username: USERNAME, password: generatePassword() };
  const token = generateKey();
  // First the files: a start that cannot write them leaves no account whose password nobody knows.
  writeFileSync(path.join(config.DATA_DIR, 'demo-password'), login.password, { mode: 0o600 });
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const password = await hashPassword(login.password, config);
  const user = await createAccount({ username: login.username, password, token }, deps);
  for (const product of PRODUCTS) await insertProduct({ ...product, owner: user.id }, db);
  return { tokenFile, login };
}
