import test from 'ava';
import { changePassword } from '../../src/accounts/password-change.ts';
import { getOrCreateToken } from '../../src/authtoken/tokens.ts';
import { ValidationError } from '../../src/errors.ts';
import { findUserById } from '../../src/users/repository.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import type { Answer } from '../support/client.ts';
import { createUser, logIn } from '../support/factories.ts';
import type { TestUser } from '../support/factories.ts';

const NEW = 'battery horse correct';
const INVALID = { current_password: ['Invalid password.'] };
const SHORT = 'This password is too short. It must contain at least 8 characters.';
const COMMON = 'This password is too common.';

const setPassword = (
  { client }: TestApp,
  { token }: Pick<TestUser, 'token'>,
  json: unknown,
): Promise<Answer> =>
  client.post('/auth/users/set_password/', { authorization: `Token ${token}`, json });

const change = ({ plain }: TestUser): object => ({ new_password: NEW, current_password: plain });

test('a changed password ends every session and the opaque token, and opens new ones', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const other = await createUser(app);
  const { refresh, access } = await logIn(app, user);
  const others = await logIn(app, other);

  const answer = await app.client.post('/auth/users/set_password/', {
    authorization: `Bearer ${access}`,
    form: { new_password: ` ${NEW} `, current_password: user.plain },
  });

  t.deepEqual([answer.status, answer.text], [204, '']);
  t.is((await app.client.post('/refresh_token/', { json: { refresh } })).status, 401);
  const old = await app.client.get('/products/', { authorization: `Token ${user.token}` });
  t.deepEqual([old.status, old.body], [401, { detail: 'Invalid token.' }]);
  t.is((await app.client.post('/login/', { json: credentials(user, user.plain) })).status, 401);
  t.is((await app.client.post('/login/', { json: credentials(user, NEW) })).status, 200);
  const { body } = await app.client.post('/auth/token/', { json: credentials(user, NEW) });
  t.notDeepEqual(body, { token: user.token });
  t.is(await getOrCreateToken(other.id, app.deps), other.token);
  t.is(
    (await app.client.post('/refresh_token/', { json: { refresh: others.refresh } })).status,
    200,
  );
});

const credentials = ({ username }: TestUser, password: string): object => ({ username, password });

test('a wrong current password and a weak new one are told together, and change nothing', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app, { username: 'wilhelmina' });
  const before = await app.db('users').first();
  const required = ['This field is required.'];

  for (const [json, errors] of [
    [{}, { new_password: required, current_password: required }],
    [{ ...change(user), current_password: 'wrong' }, INVALID],
    [{ ...change(user), current_password: 'x'.repeat(10_000) }, INVALID],
    [{ ...change(user), new_password: 'qwerty' }, { new_password: [SHORT, COMMON] }],
    [
      { ...change(user), new_password: 'Wilhelmina1' },
      { new_password: ['The password is too similar to the username.'] },
    ],
    [
      { ...change(user), new_password: 'x7'.repeat(5000) },
      { new_password: ['Ensure this field has no more than 1024 characters.'] },
    ],
    [
      { new_password: 'qwerty', current_password: 'wrong' },
      { ...INVALID, new_password: [SHORT, COMMON] },
    ],
    [
      { new_password: '', current_password: null },
      {
        new_password: ['This field may not be blank.'],
        current_password: ['This field may not be null.'],
      },
    ],
    [
      { new_password: 'x\0', current_password: ['x'] },
      {
        new_password: ['Null characters are not allowed.'],
        current_password: ['Not a valid string.'],
      },
    ],
    [
      { ...change(user), new_password: '\ud800' },
      { new_password: ['Surrogate characters are not allowed: U+D800.'] },
    ],
  ] as const) {
    const { status, body } = await setPassword(app, user, json);
    t.deepEqual([status, body], [400, errors]);
  }
  t.deepEqual(await app.db('users').first(), before);
  t.is(await getOrCreateToken(user.id, app.deps), user.token);
});

test('nobody changes a password without credentials', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);

  const { status, headers, body } = await app.client.post('/auth/users/set_password/', {
    json: change(user),
  });

  t.is(status, 401);
  t.is(headers.get('www-authenticate'), 'Token');
  t.deepEqual(body, { detail: 'Authentication credentials were not provided.' });
});

test('of racing changes one wins, and the others know the wrong password', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);

  const passwords = ['first of them', 'second of them', 'third of them'];
  const results = await Promise.allSettled(
    passwords.map((new_password) =>
      changePassword(user.id, { new_password, current_password: user.plain }, app.deps),
    ),
  );

  const lost = results.filter((result) => result.status === 'rejected');
  t.is(lost.length, 2);
  for (const { reason } of lost) t.deepEqual((reason as ValidationError).body, INVALID);
  t.is((await findUserById(user.id, app.db))?.token_version, 1);
  const won = passwords[results.findIndex(({ status }) => status === 'fulfilled')] ?? '';
  t.is((await app.client.post('/login/', { json: credentials(user, won) })).status, 200);
});
