import test from 'ava';
import type { Knex } from 'knex';
import { getOrCreateToken, resetToken } from '../../src/authtoken/tokens.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import type { Answer } from '../support/client.ts';
import { createDatabase } from '../support/database.ts';
import { createUser, logIn } from '../support/factories.ts';
import type { TestUser } from '../support/factories.ts';

type Credentials = Pick<TestUser, 'username' | 'plain'>;

const obtainToken = ({ client }: TestApp, { username, plain }: Credentials): Promise<Answer> =>
  client.post('/auth/token/', { json: { username, password: plain } });

async function statusWith({ client }: TestApp, token: string): Promise<number> {
  return (await client.get('/products/', { authorization: `Token ${token}` })).status;
}

// Serial, so that one embedded database runs at a time: each takes 150 MB, and a core to start.
test.serial('every login gives the same token: 40 hexadecimal digits', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const form = { username: user.username, password: user.plain };

  t.regex(user.token, /^[0-9a-f]{40}$/);
  for (const answer of [
    await obtainToken(app, user),
    await obtainToken(app, user),
    await app.client.post('/auth/token/', { form }),
  ]) {
    t.is(answer.status, 200);
    t.is(answer.headers.get('cache-control'), 'no-store');
    t.deepEqual(answer.body, { token: user.token });
  }
  t.not((await createUser(app)).token, user.token);
});

test.serial('racing first logins get one token', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  await app.db('authtoken').delete();

  const answers = await Promise.all(Array.from({ length: 10 }, () => obtainToken(app, user)));

  const { body } = await obtainToken(app, user);
  const { token } = body as { token: string };
  t.not(token, user.token);
  t.is(await statusWith(app, token), 200);
  for (const answer of answers) t.deepEqual([answer.status, answer.body], [200, { token }]);
});

test.serial('wrong, unknown and inactive accounts get one refusal and no token', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const inactive = await createUser(app, { is_active: false });
  await app.db('authtoken').delete();

  for (const credentials of [
    { ...user, plain: 'wrong' },
    { ...user, username: 'nobody' },
    inactive,
  ]) {
    const { status, headers, body } = await obtainToken(app, credentials);
    t.is(status, 400);
    t.is(headers.get('www-authenticate'), null);
    t.deepEqual(body, { non_field_errors: ['Unable to log in with provided credentials.'] });
  }
  t.deepEqual(await app.db('authtoken').select('user_id'), []);
});

/** Every column of every row of every table, as text. */
async function dump(db: Knex): Promise<string> {
  const tables: { table_name: string }[] = await db('information_schema.tables')
    .where({ table_schema: 'public' })
    .select('table_name');
  const texts = tables.map(async ({ table_name }) => {
    const { rows } = await db.raw('SELECT t::text AS text FROM ?? AS t', [table_name]);
    return rows.map(({ text }: { text: string }) => text).join('\n');
  });
  return (await Promise.all(texts)).join('\n');
}

// Short enough for what is kept of a secret to show up, too long for a coincidence.
function piecesOf(secret: string): string[] {
  const pieces = Array.from({ length: secret.length - 11 }, (_, at) => secret.slice(at, at + 12));
  return pieces.flatMap((piece) => [piece, Buffer.from(piece).toString('hex')]);
}

test.serial('nothing in the database is a piece of a token, a JWT or a password', async (t) => {
  const app = await startApp(t, { ROTATE_REFRESH_TOKENS: true });
  const user = await createUser(app);
  const { refresh, access } = await logIn(app, user);
  await app.client.post('/refresh_token/', { json: { refresh } });

  const text = await dump(app.db);

  t.true(text.includes(user.username));
  for (const secret of [user.token, user.plain, refresh, access])
    t.deepEqual(
      piecesOf(secret).filter((piece) => text.includes(piece)),
      [],
    );
});

test.serial('a reset ends the token and makes another', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);

  const token = await resetToken(user.id, app.deps);

  t.not(token, user.token);
  t.is(await statusWith(app, user.token), 401);
  t.is(await statusWith(app, token), 200);
  t.deepEqual((await obtainToken(app, user)).body, { token });
});

test.serial('a row that was moved to another user gives that one no token', async (t) => {
  const app = await startApp(t);
  const [owner, thief] = [await createUser(app), await createUser(app)];
  await app.db('authtoken').where({ user_id: thief.id }).delete();
  await app.db('authtoken').where({ user_id: owner.id }).update({ user_id: thief.id });

  await t.throwsAsync(getOrCreateToken(thief.id, app.deps), {
    message: `the token of user ${thief.id} does not open: its row was tampered with`,
  });

  await resetToken(thief.id, app.deps);
  t.is(await statusWith(app, owner.token), 401);
});

test.serial('a token outlives a change of SECRET_KEY until its user logs in again', async (t) => {
  const db = await createDatabase(t);
  const before = await startApp(t, {}, { db });
  const user = await createUser(before);
  const after = await startApp(
    t,
    { SECRET_KEY: 'another secret that encrypts opaque tokens' },
    { db },
  );

  t.is(await statusWith(after, user.token), 200);
  const answers = await Promise.all(Array.from({ length: 5 }, () => obtainToken(after, user)));

  const token = await getOrCreateToken(user.id, after.deps);
  t.not(token, user.token);
  for (const answer of answers) t.deepEqual([answer.status, answer.body], [200, { token }]);
  t.is(await statusWith(after, token), 200);
  t.is(await statusWith(after, user.token), 401);
});
