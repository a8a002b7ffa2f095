import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Deps } from '../../src/deps.ts';
import { authenticateCredentials } from '../../src/users/authenticate.ts';
import { hashPassword } from '../../src/users/passwords.ts';
import { findUserById, insertUser, setPassword } from '../../src/users/repository.ts';
import type { NewUser } from '../../src/users/repository.ts';
import { testConfig } from '../support/config.ts';
import { createDeps as createRequestDeps } from '../support/deps.ts';

const NOW = new Date('2026-11-23T12:00:00Z');

const createDeps = (t: ExecutionContext) => createRequestDeps(t, testConfig(), { now: () => NOW });

// Made by Django 5.2 from 'pässwörd-✓ 42'.
const PBKDF2 = 'pbkdf2_sha256$1000$Zk3vQm81Tr5x$vi7kOwwiVb40UBSfniC9iS9ZqYFfJAifmLGX1ikr8zQ=';
const PASSWORD = 'pässwörd-✓ 42';
const FROM = { ip: '192.0.2.1' };

async function makeUser(fields: Partial<NewUser> & { username: string }, { config, db }: Deps) {
  return insertUser({ password: await hashPassword(PASSWORD, config), ...fields }, db);
}

// Serial, so that one embedded database runs at a time: each takes 150 MB, and a core to start.
test('the right name and password give the user', async (t) => {
  const deps = await createDeps(t);
  const user = await makeUser({ username: 'zoë' }, deps);

  t.deepEqual(
    await authenticateCredentials({ username: 'zoë', password: PASSWORD }, FROM, deps),
    user,
  );
});

test('a name may be typed in any spelling of its text', async (t) => {
  const deps = await createDeps(t);
  const { id } = await makeUser({ username: 'élan' }, deps);

  for (const username of [' élan\u00a0', 'e\u0301lan', 'ｅ\u0301lan'])
    t.is((await authenticateCredentials({ username, password: PASSWORD }, FROM, deps))?.id, id);
});

test('unknown, wrong, inactive, unusable and broken accounts are all nobody', async (t) => {
  const deps = await createDeps(t);
  await makeUser({ username: 'active' }, deps);
  await makeUser({ username: 'inactive', is_active: false }, deps);
  await makeUser({ username: 'unusable', password: '!Cw0yKpXJ3Qh5nT8v' }, deps);
  await makeUser({ username: 'broken', password: PASSWORD }, deps);

  for (const [username, password] of [
    ['active', 'wrong'],
    ['active', ''],
    ['active', ` ${PASSWORD}`],
    ['Active', PASSWORD],
    ['inactive', PASSWORD],
    ['unusable', PASSWORD],
    ['unusable', '!Cw0yKpXJ3Qh5nT8v'],
    ['broken', PASSWORD],
    ['nobody', PASSWORD],
    ['', PASSWORD],
    ['act\0ive', PASSWORD],
    ['active\ud800', PASSWORD],
    ['a'.repeat(10_000), PASSWORD],
  ] as const)
    t.is(await authenticateCredentials({ username, password }, FROM, deps), null, username);
});

test('a login upgrades an imported hash, and the user comes with the new one', async (t) => {
  const deps = await createDeps(t);
  const { id } = await makeUser({ username: 'imported', password: PBKDF2 }, deps);
  const credentials = { username: 'imported', password: PASSWORD };

  t.is(await authenticateCredentials({ ...credentials, password: 'wrong' }, FROM, deps), null);
  t.is((await findUserById(id, deps.db))?.password, PBKDF2);
  const user = await authenticateCredentials(credentials, FROM, deps);

  t.regex(
    user?.password ?? '',
    new RegExp(`^bcrypt_sha256\\$\\$2b\\$0${deps.config.BCRYPT_ROUNDS}\\$`),
  );
  t.like(await findUserById(id, deps.db), { password: user?.password, token_version: 0 });
  t.deepEqual(await authenticateCredentials(credentials, FROM, deps), user);
});

test('racing logins of an imported user all succeed, with the hash that is stored', async (t) => {
  const deps = await createDeps(t);
  const { id } = await makeUser({ username: 'racer', password: PBKDF2 }, deps);

  const users = await Promise.all(
    Array.from({ length: 4 }, () =>
      authenticateCredentials({ username: 'racer', password: PASSWORD }, FROM, deps),
    ),
  );

  const stored = await findUserById(id, deps.db);
  for (const user of users) t.is(user?.password, stored?.password);
});

test('a password changed during a login with an imported hash refuses the old one', async (t) => {
  const deps = await createDeps(t);
  const { id } = await makeUser({ username: 'overtaken', password: PBKDF2 }, deps);
  const changed = await hashPassword('another-password', deps.config);
  // On a server both sides have their connection by now: making one could take longer than the hashing.
  await Promise.all([deps.db.raw('SELECT pg_sleep(0.05)'), deps.db.raw('SELECT pg_sleep(0.05)')]);

  const login = authenticateCredentials({ username: 'overtaken', password: PASSWORD }, FROM, deps);
  // The login has read the row and is hashing, or reads it after the change: refused either way.
  await new Promise(setImmediate);
  await setPassword({ id, password: changed, now: NOW }, deps.db);

  t.is(await login, null);
  t.is((await findUserById(id, deps.db))?.password, changed);
});
