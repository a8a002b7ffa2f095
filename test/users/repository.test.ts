import { randomUUID } from 'node:crypto';
import test from 'ava';
import type { Knex } from 'knex';
import { ValidationError } from '../../src/errors.ts';
import {
  findUserById,
  findUserByUsername,
  insertUser,
  setPassword,
  upgradePasswordHash,
} from '../../src/users/repository.ts';
import { createDatabase } from '../support/database.ts';

const NOW = new Date('2026-11-23T12:00:00Z');

async function insertFamily(userId: number, db: Knex, revokedReason?: string): Promise<string> {
  const id = randomUUID();
  await db('token_family').insert({
    id,
    user_id: userId,
    token_version: 0,
    current_jti: id,
    created_at: NOW,
    expires_at: NOW,
    ...(revokedReason && { revoked_at: new Date(0), revoked_reason: revokedReason }),
  });
  return id;
}

const tokenRow = (id: number): object => ({
  user_id: id,
  digest: Buffer.from([id]),
  ciphertext: Buffer.alloc(28),
  key_id: 'key',
  created: NOW,
});

// Serial, so that one embedded database runs at a time: each takes 150 MB, and a core to start.
test('a new user is returned as it is stored, active and without a role', async (t) => {
  const db = await createDatabase(t);

  const user = await insertUser({ username: 'plain', password: 'hash' }, db);

  t.like(user, {
    username: 'plain',
    password: 'hash',
    email: '',
    is_active: true,
    is_staff: false,
    is_superuser: false,
    token_version: 0,
    last_login: null,
  });
  t.true(user.date_joined instanceof Date);
  t.deepEqual(await findUserById(user.id, db), user);
  t.deepEqual(await findUserByUsername('plain', db), user);
});

test('a name is found by its exact text only', async (t) => {
  const db = await createDatabase(t);
  await insertUser({ username: 'Exact', password: 'hash' }, db);

  t.is(await findUserByUsername('exact', db), undefined);
  t.is(await findUserByUsername('Exact ', db), undefined);
  t.is(await findUserById(999_999, db), undefined);
});

test('of racing inserts of one name, one succeeds and the others name the field', async (t) => {
  const db = await createDatabase(t);

  const results = await Promise.allSettled(
    Array.from({ length: 5 }, () => insertUser({ username: 'racer', password: 'hash' }, db)),
  );

  const refusals = results.filter((result) => result.status === 'rejected');
  t.is(refusals.length, 4);
  for (const { reason } of refusals) {
    t.true(reason instanceof ValidationError);
    t.deepEqual(reason.body, { username: ['A user with that username already exists.'] });
  }
});

test('an id that is taken is named as such', async (t) => {
  const db = await createDatabase(t);
  const { id } = await insertUser({ username: 'first', password: 'hash' }, db);

  const error = await t.throwsAsync(insertUser({ id, username: 'second', password: 'hash' }, db), {
    instanceOf: ValidationError,
  });

  t.deepEqual(error?.body, { id: ['A user with that id already exists.'] });
});

test('a changed password moves its user on to another version, and nobody else', async (t) => {
  const db = await createDatabase(t);
  const user = await insertUser({ username: 'changer', password: 'old' }, db);
  const other = await insertUser({ username: 'bystander', password: 'old' }, db);

  t.true(await setPassword({ id: user.id, password: 'new', now: NOW }, db));

  const changed = { password: 'new', token_version: 1, tokens_valid_from: NOW };
  t.like(await findUserById(user.id, db), changed);
  t.like(await findUserById(other.id, db), { password: 'old', token_version: 0 });
});

test('what ended once does not come back with a clock that is behind', async (t) => {
  const db = await createDatabase(t);
  const { id } = await insertUser({ username: 'changer', password: 'old' }, db);
  await setPassword({ id, password: 'new', now: NOW }, db);

  await setPassword({ id, password: 'newer', now: new Date(NOW.getTime() - 5000) }, db);

  t.like(await findUserById(id, db), { token_version: 2, tokens_valid_from: NOW });
});

test('a changed password ends the opaque token of its user and of nobody else', async (t) => {
  const db = await createDatabase(t);
  const user = await insertUser({ username: 'changer', password: 'old' }, db);
  const other = await insertUser({ username: 'bystander', password: 'old' }, db);
  for (const { id } of [user, other]) await db('authtoken').insert(tokenRow(id));

  t.true(await setPassword({ id: user.id, password: 'new', now: NOW }, db));

  t.deepEqual(await db('authtoken').pluck('user_id'), [other.id]);
});

test('a password that was decided on at another version is not set, and ends nothing', async (t) => {
  const db = await createDatabase(t);
  const { id } = await insertUser({ username: 'overtaken', password: 'old' }, db);
  const family = await insertFamily(id, db);
  await db('authtoken').insert(tokenRow(id));

  t.false(await setPassword({ id, token_version: 1, password: 'new', now: NOW }, db));

  t.like(await findUserById(id, db), { password: 'old', token_version: 0 });
  t.like(await db('token_family').where({ id: family }).first(), { revoked_at: null });
  t.deepEqual(await db('authtoken').pluck('user_id'), [id]);
});

test('a hash that a login upgraded meanwhile is no change of the password', async (t) => {
  const db = await createDatabase(t);
  const { id } = await insertUser({ username: 'upgraded', password: 'old' }, db);
  await upgradePasswordHash({ id, from: 'old', to: 'upgraded' }, db);

  t.true(await setPassword({ id, token_version: 0, password: 'new', now: NOW }, db));

  t.like(await findUserById(id, db), { password: 'new', token_version: 1 });
});

test('a password cannot be set for a user who is not there', async (t) => {
  const db = await createDatabase(t);

  t.false(await setPassword({ id: 999_999, password: 'new', now: NOW }, db));
});

test('a hash is upgraded only while it is the one that was verified, and no session ends', async (t) => {
  const db = await createDatabase(t);
  const { id } = await insertUser({ username: 'upgrader', password: 'old' }, db);
  const family = await insertFamily(id, db);

  t.true(await upgradePasswordHash({ id, from: 'old', to: 'new' }, db));
  t.false(await upgradePasswordHash({ id, from: 'old', to: 'newer' }, db));

  t.like(await findUserById(id, db), { password: 'new', token_version: 0 });
  t.like(await db('token_family').where({ id: family }).first(), { revoked_at: null });
});
