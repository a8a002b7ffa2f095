import test from 'ava';
import { registerAccount } from '../../src/accounts/registration.ts';
import { ValidationError } from '../../src/errors.ts';
import { reserveUsername } from '../../src/users/repository.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import type { Answer } from '../support/client.ts';
import { SERVER } from '../support/database.ts';
import { createUser } from '../support/factories.ts';

const PASSWORD = 'correct horse battery';
const CHARACTERS =
  'Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.';
const LENGTH = 'Ensure this field has no more than 150 characters.';
const TAKEN = 'A user with that username already exists.';
const SHORT = 'This password is too short. It must contain at least 8 characters.';
const COMMON = 'This password is too common.';
const EMAIL = 'Enter a valid email address.';
const BLANK = 'This field may not be blank.';
const NULL = 'This field may not be null.';
const NO_TEXT = 'Not a valid string.';
const NUL = 'Null characters are not allowed.';
const SURROGATE = 'Surrogate characters are not allowed: U+D800.';

const register = ({ client }: Pick<TestApp, 'client'>, json: unknown): Promise<Answer> =>
  client.post('/auth/users/', { json });

async function usernames({ db }: TestApp): Promise<string[]> {
  return db('users').orderBy('id').pluck('username');
}

test('a stranger makes an account, and logs in by either scheme at once', async (t) => {
  const app = await startApp(t);
  const credentials = { username: 'zoë', password: PASSWORD };

  const { status, body } = await register(app, { ...credentials, email: 'Zoe@Example.ORG' });

  const row = await app.db('users').first('id', 'is_active', 'is_staff', 'is_superuser');
  t.is(status, 201);
  t.deepEqual(body, { email: 'Zoe@example.org', username: 'zoë', id: row.id });
  t.like(row, { is_active: true, is_staff: false, is_superuser: false });
  t.deepEqual(await app.db('authtoken').pluck('user_id'), [row.id]);
  t.is((await app.client.post('/auth/token/', { json: credentials })).status, 200);
  t.is((await app.client.post('/login/', { form: credentials })).status, 200);
});

test('a form will do, without an e-mail address or with a blank one, and makes no staff', async (t) => {
  const app = await startApp(t);
  const form = { username: 'alice', password: ` ${PASSWORD} `, is_staff: 'true', id: '7' };

  const first = await app.client.post('/auth/users/', { form });
  const second = await app.client.post('/auth/users/', {
    form: { ...form, username: ' bob ', email: '' },
  });

  t.like(first, { status: 201, body: { email: '', username: 'alice', id: 1 } });
  t.like(second, { status: 201, body: { email: '', username: 'bob', id: 2 } });
  t.deepEqual(await app.db('users').pluck('is_staff'), [false, false]);
  const login = { username: 'alice', password: PASSWORD };
  t.is((await app.client.post('/auth/token/', { json: login })).status, 200);
});

const REFUSED: [what: string, body: object, errors: object][] = [
  ['nothing', {}, { username: ['This field is required.'], password: ['This field is required.'] }],
  ['blanks', { username: ' ', password: '' }, { username: [BLANK], password: [BLANK] }],
  ['a name of no width', { username: '\ufeff', password: PASSWORD }, { username: [BLANK] }],
  [
    'nulls',
    { username: null, password: null, email: null },
    { username: [NULL], password: [NULL], email: [NULL] },
  ],
  [
    'no text',
    { username: ['a'], password: {}, email: true },
    { username: [NO_TEXT], password: [NO_TEXT], email: [NO_TEXT] },
  ],
  [
    'null characters',
    { username: 'a\0', password: 'x\0', email: '\0' },
    { username: [NUL], password: [NUL], email: [NUL] },
  ],
  [
    'lone surrogates',
    { username: 'a\ud800', password: '\ud800', email: '\ud800@x.org' },
    { username: [SURROGATE], password: [SURROGATE], email: [SURROGATE] },
  ],
  ['a name with a space', { username: 'a b', password: PASSWORD }, { username: [CHARACTERS] }],
  ['151 characters', { username: 'a'.repeat(151), password: PASSWORD }, { username: [LENGTH] }],
  [
    '10 kB of name',
    { username: 'é '.repeat(4000), password: PASSWORD },
    { username: [CHARACTERS, LENGTH] },
  ],
  [
    'Cyrillic in Latin',
    { username: 'p\u0430ypal', password: PASSWORD },
    { username: [CHARACTERS] },
  ],
  [
    '10 kB of password',
    { username: 'carol', password: 'x7'.repeat(5000) },
    { password: ['Ensure this field has no more than 1024 characters.'] },
  ],
  [
    'the name as password',
    { username: 'wilhelmina', password: 'Wilhelmina1' },
    { password: ['The password is too similar to the username.'] },
  ],
  [
    '10 kB of e-mail address',
    { username: 'carol', password: PASSWORD, email: `${'a'.repeat(10_000)}@example.org` },
    { email: ['Ensure this field has no more than 254 characters.', EMAIL] },
  ],
  [
    'all of it wrong',
    { username: 'no name!', password: 'qwerty', email: 'nowhere' },
    { username: [CHARACTERS], password: [SHORT, COMMON], email: [EMAIL] },
  ],
  [
    'a taken name and a weak password',
    { username: 'Alice', password: 'qwerty' },
    { username: [TAKEN], password: [SHORT, COMMON] },
  ],
  ['a taken name', { username: 'Alice', password: PASSWORD }, { username: [TAKEN] }],
  ['its wide twin', { username: 'Ａｌｉｃｅ', password: PASSWORD }, { username: [TAKEN] }],
  [
    'it between spaces',
    { username: '\u00a0Alice\u3000', password: PASSWORD },
    { username: [TAKEN] },
  ],
  ['another case of it', { username: 'aLICE', password: PASSWORD }, { username: [TAKEN] }],
  ['another case in Greek', { username: 'ΝΊΚΟΣ', password: PASSWORD }, { username: [TAKEN] }],
  ['another case in German', { username: 'STRAẞE', password: PASSWORD }, { username: [TAKEN] }],
];

test('every bad registration is a 400 with all of its reasons, and makes nothing', async (t) => {
  const app = await startApp(t);
  const known = ['Alice', 'νίκος', 'Straße'];
  for (const username of known) await createUser(app, { username });

  for (const [what, json, errors] of REFUSED) {
    const { status, body } = await register(app, json);
    t.deepEqual([what, status, body], [what, 400, errors]);
  }

  t.deepEqual(await usernames(app), known);
});

test('a form is refused as JSON is', async (t) => {
  const app = await startApp(t);
  const form = { username: 'no name!', password: 'qwerty', email: 'nowhere' };

  const { status, body } = await app.client.post('/auth/users/', { form });

  t.is(status, 400);
  t.deepEqual(body, { username: [CHARACTERS], password: [SHORT, COMMON], email: [EMAIL] });
});

test('of racing registrations of one name, in any case, one makes the account', async (t) => {
  const app = await startApp(t);
  const names = ['racer', 'racer', 'Racer', 'ｒａｃｅｒ'];

  const answers = await Promise.all(
    names.map((username) => register(app, { username, password: PASSWORD })),
  );

  const lost = answers.filter(({ status }) => status !== 201);
  t.is(lost.length, names.length - 1);
  for (const { status, body } of lost) t.deepEqual([status, body], [400, { username: [TAKEN] }]);
  t.is((await usernames(app)).length, 1);
  t.is((await app.db('authtoken').select()).length, 1);
});

// One connection, as the embedded database has, holds no two transactions.
(SERVER === undefined ? test.skip : test)(
  'a registration waits for the one that holds its name in another case, and yields to it',
  async (t) => {
    const app = await startApp(t);
    const first = await app.db.transaction();
    await reserveUsername('Holder', first);

    const second = registerAccount({ username: 'holder', password: PASSWORD }, app.deps);
    await first('users').insert({ username: 'Holder', password: '!' });
    await first.commit();

    const error = await t.throwsAsync(second, { instanceOf: ValidationError });
    t.deepEqual(error?.body, { username: [TAKEN] });
    t.deepEqual(await usernames(app), ['Holder']);
  },
);

test('an operator may make names that differ by case alone', async (t) => {
  const app = await startApp(t);

  await createUser(app, { username: 'twin' });
  await createUser(app, { username: 'Twin' });

  t.deepEqual(await usernames(app), ['twin', 'Twin']);
});

test('with REGISTRATION off nobody makes an account, whatever is sent', async (t) => {
  const app = await startApp(t, { REGISTRATION: false });
  const { token } = await createUser(app, { username: 'alice' });
  const denied = { detail: 'You do not have permission to perform this action.' };

  for (const options of [
    { json: { username: 'bob', password: PASSWORD } },
    { json: {} },
    { raw: '{', headers: { 'Content-Type': 'application/json' } },
    { json: { username: 'bob', password: PASSWORD }, authorization: `Token ${token}` },
  ]) {
    const { status, headers, body } = await app.client.post('/auth/users/', options);
    t.deepEqual([status, body], [403, denied]);
    t.is(headers.get('www-authenticate'), null);
  }
  t.deepEqual(await usernames(app), ['alice']);
});
