import test from 'ava';
import { startApp } from '../support/app.ts';
import { createUser, logIn } from '../support/factories.ts';

const NO_CREDENTIALS = { detail: 'Authentication credentials were not provided.' };
const LONG = 'Ensure this field has no more than 254 characters.';
const INVALID = 'Enter a valid email address.';

test('users see their own account by either scheme, and nobody else sees one', async (t) => {
  const app = await startApp(t);
  await createUser(app);
  const alice = await createUser(app, { username: 'alice', email: 'alice@example.org' });
  const { access } = await logIn(app, alice);
  const account = { email: 'alice@example.org', username: 'alice', id: alice.id };

  for (const authorization of [`Token ${alice.token}`, `Bearer ${access}`]) {
    const answer = await app.client.get('/auth/users/me/', { authorization });
    t.like(answer, { status: 200, body: account });
  }
  for (const answer of [
    await app.client.get('/auth/users/me/'),
    await app.client.patch('/auth/users/me/', { json: { email: 'mallory@example.org' } }),
  ]) {
    t.like(answer, { status: 401, body: NO_CREDENTIALS });
    t.is(answer.headers.get('www-authenticate'), 'Token');
  }
});

test('an e-mail address is changed and removed, and nothing else', async (t) => {
  const app = await startApp(t);
  const alice = await createUser(app, { username: 'alice', email: 'alice@example.org' });
  const authorization = `Token ${alice.token}`;
  const before = await app.db('users').first();

  for (const [options, email] of [
    [{ json: {} }, 'alice@example.org'],
    [{ json: { email: ' Alice@Example.NET ' } }, 'Alice@example.net'],
    [{ form: { username: 'mallory' } }, 'Alice@example.net'],
    [{ form: { email: '' } }, ''],
    [
      { json: { email: 'a@b.org', username: 'mallory', id: 7, is_staff: true, password: 'x' } },
      'a@b.org',
    ],
  ] as const) {
    const { status, body } = await app.client.patch('/auth/users/me/', {
      authorization,
      ...options,
    });
    t.deepEqual([status, body], [200, { email, username: 'alice', id: alice.id }]);
    t.deepEqual(await app.db('users').first(), { ...before, email });
  }
});

test('an unfit e-mail address is refused, and the old one stays', async (t) => {
  const app = await startApp(t);
  const { token } = await createUser(app, { email: 'alice@example.org' });
  const authorization = `Token ${token}`;

  for (const [email, reasons] of [
    ['nowhere', [INVALID]],
    [null, ['This field may not be null.']],
    [['a@b.org'], ['Not a valid string.']],
    ['a\0@b.org', ['Null characters are not allowed.']],
    ['\ud800@b.org', ['Surrogate characters are not allowed: U+D800.']],
    [`${'a'.repeat(250)}@b.org`, [LONG]],
    ['@'.repeat(10_000), [LONG, INVALID]],
  ] as const) {
    const answer = await app.client.patch('/auth/users/me/', { authorization, json: { email } });
    t.deepEqual([answer.status, answer.body], [400, { email: reasons }]);
  }
  const form = { email: 'nowhere' };
  const answer = await app.client.patch('/auth/users/me/', { authorization, form });
  t.deepEqual([answer.status, answer.body], [400, { email: [INVALID] }]);
  t.deepEqual(await app.db('users').pluck('email'), ['alice@example.org']);
});
