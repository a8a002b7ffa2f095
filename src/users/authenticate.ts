import { noteRefusedLogin } from '../audit/trail.ts';
import type { User } from '../db.ts';
import type { Deps, RequestDeps } from '../deps.ts';
import { isStorable } from '../text.ts';
import { hashPassword, pretendToVerify, verifyPassword } from './passwords.ts';
import { findUserByUsername, upgradePasswordHash } from './repository.ts';
import { normalizeUsername } from './usernames.ts';

interface Credentials {
  username: string;
  password: string;
}

/**
 * The active user whose credentials these are, as the row is after an upgrade of its hash. An unknown,
 * inactive or unusable account costs what a wrong password costs, and is guessed at no oftener: throws Throttled.
 */
export async function authenticateCredentials(
  credentials: Credentials,
  { ip }: { ip: string },
  deps: RequestDeps,
): Promise<User | null> {
  const username = normalizeUsername(credentials.username);
  const guess = await deps.throttle.guess(username, ip);
  const user = await check(credentials, deps).catch(async (error: unknown) => {
    await guess.takeBack(); // a full queue for hashing, or the database away
    throw error;
  });
  if (user) await guess.wasRight();
  else await noteRefusedLogin({ username, ip }, deps.db);
  return user;
}

async function check({ username, password }: Credentials, deps: Deps): Promise<User | null> {
  const user = await findByTypedName(username, deps);
  if (!user?.is_active) {
    await pretendToVerify(password, deps.config);
    return null;
  }
  const { matches, outdated } = await verifyPassword(password, user.password, deps.config);
  if (!matches) return null;
  return outdated ? upgrade(user, password, deps) : user;
}

// What no row can hold is nobody's name.
async function findByTypedName(typed: string, { db }: Deps): Promise<User | undefined> {
  const username = normalizeUsername(typed);
  if (!isStorable(username)) return undefined;
  return findUserByUsername(username, db);
}

async function upgrade(user: User, password: string, deps: Deps): Promise<User | null> {
  const hash = await hashPassword(password, deps.config);
  if (await upgradePasswordHash({ id: user.id, from: user.password, to: hash }, deps.db))
    return { ...user, password: hash };
  // Another login was first, or the password was changed meanwhile: only the row as it is now decides.
  return check({ username: user.username, password }, deps);
}
