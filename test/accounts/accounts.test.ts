import test from 'ava';
import { createAccount } from '../../src/accounts/accounts.ts';
import { getOrCreateToken } from '../../src/authtoken/tokens.ts';
import type { Deps } from '../../src/deps.ts';
import { findUserByUsername } from '../../src/users/repository.ts';
import { testConfig } from '../support/config.ts';
import { createDatabase } from '../support/database.ts';

const KEY = '9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b';

// Serial, so that one embedded database runs at a time: each takes 150 MB, and a core to start.
test.serial('an account comes with a token of its own, one to take over, or none', async (t) => {
  const deps: Deps = { config: testConfig(), db: await createDatabase(t), now: () => new Date() };

  const own = await createAccount({ username: 'own', password: 'hash' }, deps);
  const given = await createAccount({ username: 'given', password: 'hash', token: KEY }, deps);
  const none = await createAccount({ username: 'none', password: 'hash', token: null }, deps);

  t.regex(await getOrCreateToken(own.id, deps), /^[0-9a-f]{40}$/);
  t.is(await getOrCreateToken(given.id, deps), KEY);
  t.is(await deps.db('authtoken').where({ user_id: none.id }).first('user_id'), undefined);
});

test.serial('an account whose token cannot be stored is not made', async (t) => {
  const deps: Deps = { config: testConfig(), db: await createDatabase(t), now: () => new Date() };
  const owner = await createAccount({ username: 'owner', password: 'hash', token: KEY }, deps);

  await t.throwsAsync(createAccount({ username: 'copy', password: 'hash', token: KEY }, deps), {
    code: '23505',
  });

  t.is(await findUserByUsername('copy', deps.db), undefined);
  t.is(await getOrCreateToken(owner.id, deps), KEY);
});
