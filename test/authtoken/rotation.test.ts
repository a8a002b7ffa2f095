import test from 'ava';
import type { Knex } from 'knex';
import { getOrCreateToken, obtainToken, rotateToken } from '../../src/authtoken/tokens.ts';
import { setPassword } from '../../src/users/repository.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import type { Answer } from '../support/client.ts';
import { SERVER } from '../support/database.ts';
import { until } from '../support/eventually.ts';
import { createUser, logIn } from '../support/factories.ts';
import type { TestUser } from '../support/factories.ts';

const LOGOUT = '/auth/token/logout/';
const ROTATE = '/auth/token/rotate/';

async function statusWith({ client }: TestApp, token: string): Promise<number> {
  return (await client.get('/products/', { authorization: `Token ${token}` })).status;
}

const tokenIn = ({ body }: Answer): string => (body as { token: string }).token; // as the contract says

const obtain = ({ client }: TestApp, { username, plain }: TestUser): Promise<Answer> =>
  client.post('/auth/token/', { json: { username, password: plain } });

test('a logout by either scheme ends the token, and the next login makes another', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const other = await createUser(app);
  const { access } = await logIn(app, user);
  let { token } = user;

  for (const authorization of [`Token ${token}`, `Bearer ${access}`, `Bearer ${access}`]) {
    const answer = await app.client.post(LOGOUT, { authorization });

    t.deepEqual([answer.status, answer.text], [204, '']);
    t.is(await statusWith(app, token), 401);
    const next = tokenIn(await obtain(app, user));
    t.not(next, token);
    token = next;
  }
  t.is(await statusWith(app, token), 200);
  t.is(await statusWith(app, other.token), 200);
});

test('a rotation by either scheme ends the token and gives the next, for no cache', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const { access } = await logIn(app, user);
  let { token } = user;

  for (const authorization of [`Token ${token}`, `Bearer ${access}`]) {
    const answer = await app.client.post(ROTATE, { authorization });

    t.is(answer.status, 200);
    t.is(answer.headers.get('cache-control'), 'no-store');
    t.is(await statusWith(app, token), 401);
    token = tokenIn(answer);
    t.is(await statusWith(app, token), 200);
    t.is(tokenIn(await obtain(app, user)), token);
  }
});

test('a rotation makes a token where there is none', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const { access } = await logIn(app, user);
  await app.db('authtoken').delete();

  const answer = await app.client.post(ROTATE, { authorization: `Bearer ${access}` });

  t.is(await statusWith(app, tokenIn(answer)), 200);
});

test('of the tokens that racing rotations give, one is good', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);

  const tokens = await Promise.all(Array.from({ length: 5 }, () => rotateToken(user, app.deps)));

  const statuses = await Promise.all(tokens.map((token) => statusWith(app, token ?? '')));
  t.deepEqual(statuses.toSorted(), [200, 401, 401, 401, 401]);
  t.is(await statusWith(app, user.token), 401);
});

for (const path of [LOGOUT, ROTATE])
  test(`${path} is for those alone who show good credentials`, async (t) => {
    const app = await startApp(t);
    const { token } = await createUser(app);

    for (const [authorization, detail] of [
      [undefined, 'Authentication credentials were not provided.'],
      [`Token ${'0'.repeat(40)}`, 'Invalid token.'],
    ] as const) {
      const { status, headers, body } = await app.client.post(path, { authorization });
      t.deepEqual([status, body], [401, { detail }]);
      t.is(headers.get('www-authenticate'), 'Token');
    }
    t.is(await statusWith(app, token), 200);
  });

test('whoever was let in before a change of the password or a deactivation is told no token', async (t) => {
  const app = await startApp(t);
  const changed = await createUser(app);
  const inactive = await createUser(app);
  const deleted = await createUser(app);
  const renewed = await createUser(app);
  await setPassword({ id: renewed.id, password: 'hash', now: new Date() }, app.db);
  const next = await getOrCreateToken(renewed.id, app.deps);
  await setPassword({ id: changed.id, password: 'hash', now: new Date() }, app.db);
  await app.db('users').where({ id: inactive.id }).update({ is_active: false });
  await app.db('users').where({ id: deleted.id }).delete();

  for (const user of [changed, inactive, deleted, renewed]) {
    t.is(await obtainToken(user, app.deps), undefined);
    t.is(await rotateToken(user, app.deps), undefined);
  }
  t.deepEqual((await app.db('authtoken').pluck('user_id')).toSorted(), [inactive.id, renewed.id]);
  t.is(await statusWith(app, next), 200);
});

test('a rotation that meets a change of the password under way gives no token', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);

  const rotation = await app.db.transaction(async (trx) => {
    await setPassword({ id: user.id, password: 'hash', now: new Date() }, trx);
    const rotated = rotateToken(user, app.deps);
    // Over the one session of an embedded database it cannot begin before the end.
    if (SERVER !== undefined) await until(async () => somebodyWaits(app.db));
    return { rotated };
  });

  t.is(await rotation.rotated, undefined);
  t.deepEqual(await app.db('authtoken').select('user_id'), []);
});

async function somebodyWaits(db: Knex): Promise<boolean> {
  const { rows } = await db.raw(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return rows.length > 0;
}
